#include "events.h"

int alive = 0;

static void release_schema(struct ArrowSchema* schema) {
  for (int64_t i = 0; i < schema->n_children; i++) {
    if (schema->children[i]->release != NULL) schema->children[i]->release(schema->children[i]);
    free(schema->children[i]);
  }
  free(schema->children);
  schema->release = NULL;
}

static void release_array(struct ArrowArray* array) {
  for (int64_t i = 0; i < array->n_children; i++) {
    if (array->children[i]->release != NULL) array->children[i]->release(array->children[i]);
    free(array->children[i]);
  }
  for (int64_t i = 0; i < array->n_buffers; i++) free((void*)array->buffers[i]);
  free(array->buffers);
  free(array->children);
  array->release = NULL;
  __atomic_sub_fetch(&alive, 1, __ATOMIC_SEQ_CST);
}

static void* must_malloc(size_t bytes) {
  void* memory = calloc(1, bytes == 0 ? 1 : bytes);
  CHECK(memory != NULL);
  return memory;
}

static void make_schema(struct ArrowSchema* out, const char* format, const char* name, int children) {
  memset(out, 0, sizeof *out);
  out->format = format;
  out->name = name;
  out->n_children = children;
  out->children = children ? must_malloc(sizeof(void*) * (size_t)children) : NULL;
  for (int i = 0; i < children; i++) out->children[i] = must_malloc(sizeof(struct ArrowSchema));
  out->release = release_schema;
}

static void make_node(struct ArrowArray* out, int64_t rows, int buffers, int children) {
  memset(out, 0, sizeof *out);
  out->length = rows;
  out->n_buffers = buffers;
  out->buffers = must_malloc(sizeof(void*) * (size_t)buffers);
  out->n_children = children;
  out->children = children ? must_malloc(sizeof(void*) * (size_t)children) : NULL;
  for (int i = 0; i < children; i++) out->children[i] = must_malloc(sizeof(struct ArrowArray));
  out->release = release_array;
  __atomic_add_fetch(&alive, 1, __ATOMIC_SEQ_CST);
}

static void make_text(struct ArrowArray* out, int64_t rows, const char* (*text)(int64_t)) {
  make_node(out, rows, 3, 0);
  int32_t* offsets = must_malloc(sizeof(int32_t) * (size_t)(rows + 1));
  for (int64_t i = 0; i < rows; i++) offsets[i + 1] = offsets[i] + (int32_t)strlen(text(i));
  char* data = must_malloc((size_t)offsets[rows]);
  for (int64_t i = 0; i < rows; i++) memcpy(data + offsets[i], text(i), strlen(text(i)));
  out->buffers[1] = offsets;
  out->buffers[2] = data;
}

static const char* actor(int64_t at) {
  static const char* names[] = {"u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9"};
  return names[at % 10];
}

static const char* event(int64_t at) { return (at / 10) % 3 == 2 ? "buy" : "view"; }

void make_array(struct ArrowArray* array, struct ArrowSchema* schema, int64_t rows) {
  make_schema(schema, "+s", "", 3);
  make_schema(schema->children[0], "u", "actor", 0);
  make_schema(schema->children[1], "u", "event", 0);
  make_schema(schema->children[2], "tsu:UTC", "time", 0);
  make_node(array, rows, 1, 3);
  make_text(array->children[0], rows, actor);
  make_text(array->children[1], rows, event);
  make_node(array->children[2], rows, 2, 0);
  int64_t* times = must_malloc(sizeof(int64_t) * (size_t)rows);
  for (int64_t i = 0; i < rows; i++) times[i] = INT64_C(1767225600000000) + i * 1000000;
  array->children[2]->buffers[1] = times;
}

struct producer {
  int64_t rows;
  int given;
};

static int get_schema(struct ArrowArrayStream* stream, struct ArrowSchema* out) {
  struct producer* producer = stream->private_data;
  struct ArrowArray unused;
  make_array(&unused, out, producer->rows);
  unused.release(&unused);
  return 0;
}

static int get_next(struct ArrowArrayStream* stream, struct ArrowArray* out) {
  struct producer* producer = stream->private_data;
  memset(out, 0, sizeof *out);
  if (producer->given++ == 0) {
    struct ArrowSchema schema;
    make_array(out, &schema, producer->rows);
    schema.release(&schema);
  }
  return 0;
}

static const char* get_last_error(struct ArrowArrayStream* stream) {
  (void)stream;
  return NULL;
}

static void release_stream(struct ArrowArrayStream* stream) {
  free(stream->private_data);
  stream->release = NULL;
  __atomic_sub_fetch(&alive, 1, __ATOMIC_SEQ_CST);
}

void make_stream(struct ArrowArrayStream* out, int64_t rows) {
  struct producer* producer = must_malloc(sizeof *producer);
  producer->rows = rows;
  out->get_schema = get_schema;
  out->get_next = get_next;
  out->get_last_error = get_last_error;
  out->release = release_stream;
  out->private_data = producer;
  __atomic_add_fetch(&alive, 1, __ATOMIC_SEQ_CST);
}

int64_t count_rows(struct ArrowArrayStream* stream) {
  int64_t rows = 0;
  struct ArrowSchema schema;
  CHECK(stream->get_schema(stream, &schema) == 0);
  schema.release(&schema);
  for (;;) {
    struct ArrowArray array;
    CHECK(stream->get_next(stream, &array) == 0);
    if (array.release == NULL) break;
    rows += array.length;
    array.release(&array);
  }
  stream->release(stream);
  return rows;
}
