// AURA for C++17: owners over the functions of aura.h, which says what each does. Header only.
//
// Handles are owned, move, and are freed by their destructors. What fails throws aura::Error. Specs are JSON, reports come as
// JSON; tables cross as Arrow C streams. Objects may be used by several threads at once, as in C.
#ifndef AURA_HPP
#define AURA_HPP

#include <aura.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aura {

/// A text that may be left out.
using OptionalText = std::optional<std::string>;

/// What a call failed with: the status says what to do, what() what is wrong.
class Error : public std::runtime_error {
 public:
  /// Takes an error of C over.
  explicit Error(AuraError* error)
      : std::runtime_error(aura_error_message(error)), status_(aura_error_status(error)), code_(aura_error_code(error)) {
    for (std::size_t at = 0; at < aura_error_cause_count(error); ++at) causes_.emplace_back(aura_error_cause(error, at));
    aura_error_free(error);
  }

  /// The kind as a number.
  AuraStatus status() const noexcept { return status_; }
  /// The kind as a name, for example INVALID_SPEC.
  const std::string& code() const noexcept { return code_; }
  /// What is behind it, the nearest first.
  const std::vector<std::string>& causes() const noexcept { return causes_; }

 private:
  AuraStatus status_;
  std::string code_;
  std::vector<std::string> causes_;
};

namespace detail {

template <typename T, void (*Free)(T*)>
struct Deleter {
  void operator()(T* handle) const noexcept { Free(handle); }
};

template <typename T, void (*Free)(T*)>
using Owner = std::unique_ptr<T, Deleter<T, Free>>;

/// Calls a function with a place for its error.
template <typename Function, typename... Arguments>
void call(Function function, Arguments... arguments) {
  AuraError* error = nullptr;
  if (function(arguments..., &error) != AURA_STATUS_OK) throw Error(error);
}

/// Calls a function that gives a handle: its place comes before that of the error.
template <typename T, typename Function, typename... Arguments>
T* give(Function function, Arguments... arguments) {
  T* handle = nullptr;
  call(function, arguments..., &handle);
  return handle;
}

/// Calls a function that gives a text or bytes.
template <typename Function, typename... Arguments>
std::string text(Function function, Arguments... arguments) {
  Owner<AuraBytes, aura_bytes_free> bytes(give<AuraBytes>(function, arguments...));
  return std::string(aura_bytes_data(bytes.get()), aura_bytes_length(bytes.get()));
}

inline const char* or_null(const OptionalText& text) { return text ? text->c_str() : nullptr; }

inline const std::uint8_t* bytes_of(std::string_view content) {
  return reinterpret_cast<const std::uint8_t*>(content.data());
}

}  // namespace detail

/// The version of the library that is loaded.
inline std::string version() { return aura_version(); }

/// Throws when the library that is loaded does not fit the header.
inline void check_abi() { detail::call(aura_check_abi, static_cast<std::uint32_t>(AURA_ABI_VERSION)); }

/// The JSON Schemas of specs and options.
inline std::string schemas() { return detail::text(aura_schemas); }

/// Stops calls from another thread.
class Cancel {
 public:
  Cancel() : handle_(aura_cancel_new()) {}
  /// Stops the calls that it was given to, and later ones.
  void now() const noexcept { aura_cancel_now(handle_.get()); }
  bool is_cancelled() const noexcept { return aura_cancel_is_cancelled(handle_.get()); }
  const AuraCancel* get() const noexcept { return handle_.get(); }

 private:
  detail::Owner<AuraCancel, aura_cancel_free> handle_;
};

namespace detail {
inline const AuraCancel* or_null(const Cancel* cancel) { return cancel ? cancel->get() : nullptr; }
}  // namespace detail

/// An Arrow C stream, released by the destructor.
class Stream {
 public:
  explicit Stream(ArrowArrayStream stream) : stream_(stream) {}
  Stream(Stream&& other) noexcept : stream_(other.release()) {}
  Stream& operator=(Stream&& other) noexcept {
    std::swap(stream_, other.stream_);
    return *this;
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    if (stream_.release != nullptr) stream_.release(&stream_);
  }

  ArrowArrayStream* get() noexcept { return &stream_; }
  /// Gives the stream up: the caller calls its `release`.
  ArrowArrayStream release() noexcept {
    ArrowArrayStream given = stream_;
    stream_.release = nullptr;
    return given;
  }

 private:
  ArrowArrayStream stream_;
};

/// The result of a question.
class Table {
 public:
  explicit Table(AuraTable* handle) : handle_(handle) {}

  std::uint64_t row_count() const noexcept { return aura_table_row_count(get()); }
  std::size_t column_count() const noexcept { return aura_table_column_count(get()); }
  AuraScanStats scan() const noexcept { return aura_table_scan(get()); }
  /// What a careful analyst would add: a JSON list.
  std::string notes() const { return detail::text(aura_table_notes, get()); }
  /// The rows, shared and not copied.
  Stream stream() const {
    ArrowArrayStream stream;
    detail::call(aura_table_stream, get(), &stream);
    return Stream(stream);
  }
  /// The table in the streaming format of Arrow IPC.
  std::string ipc() const { return detail::text(aura_table_ipc, get()); }
  /// The table in a format of other tools: csv, json, ndjson, parquet, arrow_ipc, xlsx.
  std::string export_as(const std::string& format) const { return detail::text(aura_table_export, get(), format.c_str()); }
  std::string csv(const OptionalText& options = {}) const {
    return detail::text(aura_table_csv, get(), detail::or_null(options));
  }
  /// The first rows, drawn with lines.
  std::string draw(std::uint64_t rows = 20) const { return detail::text(aura_table_text, get(), rows); }
  const AuraTable* get() const noexcept { return handle_.get(); }

 private:
  detail::Owner<AuraTable, aura_table_free> handle_;
};

/// Definitions of metrics.
class Registry {
 public:
  explicit Registry(AuraRegistry* handle) : handle_(handle) {}
  static Registry parse(const std::string& definitions, const OptionalText& parameters = {}) {
    return Registry(detail::give<AuraRegistry>(aura_registry_parse, definitions.c_str(), detail::or_null(parameters)));
  }
  static Registry load(const std::string& path, const OptionalText& parameters = {}) {
    return Registry(detail::give<AuraRegistry>(aura_registry_load, path.c_str(), detail::or_null(parameters)));
  }
  static Registry builtin(const OptionalText& parameters = {}) {
    return Registry(detail::give<AuraRegistry>(aura_registry_builtin, detail::or_null(parameters)));
  }

  Registry extend(const std::string& definitions, const OptionalText& parameters = {}) const {
    const char* given = detail::or_null(parameters);
    return Registry(detail::give<AuraRegistry>(aura_registry_extend, get(), definitions.c_str(), given));
  }
  Registry merge(const Registry& other) const {
    return Registry(detail::give<AuraRegistry>(aura_registry_merge, get(), other.get()));
  }
  std::uint32_t version() const noexcept { return aura_registry_version(get()); }
  std::string names() const { return detail::text(aura_registry_names, get()); }
  std::string yaml() const { return detail::text(aura_registry_yaml, get()); }
  std::string json() const { return detail::text(aura_registry_json, get()); }
  std::string reference(const std::string& title) const { return detail::text(aura_registry_reference, get(), title.c_str()); }
  std::string compare(const Registry& newer) const { return detail::text(aura_registry_compare, get(), newer.get()); }
  std::string sql(const std::string& query, const std::string& source, const std::string& dialect) const {
    return detail::text(aura_registry_sql, get(), query.c_str(), source.c_str(), dialect.c_str());
  }
  const AuraRegistry* get() const noexcept { return handle_.get(); }

 private:
  detail::Owner<AuraRegistry, aura_registry_free> handle_;
};

/// A data contract.
class Contract {
 public:
  explicit Contract(AuraContract* handle) : handle_(handle) {}
  static Contract parse(const std::string& contract) {
    return Contract(detail::give<AuraContract>(aura_contract_parse, contract.c_str()));
  }
  static Contract load(const std::string& path) { return Contract(detail::give<AuraContract>(aura_contract_load, path.c_str())); }
  static Contract infer(const std::string& name, const Table& table) {
    return Contract(detail::give<AuraContract>(aura_contract_infer, name.c_str(), table.get()));
  }

  std::uint32_t version() const noexcept { return aura_contract_version(get()); }
  std::string name() const { return detail::text(aura_contract_name, get()); }
  std::string yaml() const { return detail::text(aura_contract_yaml, get()); }
  std::string json() const { return detail::text(aura_contract_json, get()); }
  std::string compare(const Contract& newer) const { return detail::text(aura_contract_compare, get(), newer.get()); }
  const AuraContract* get() const noexcept { return handle_.get(); }

 private:
  detail::Owner<AuraContract, aura_contract_free> handle_;
};

/// Events, and every question to them.
class Events {
 public:
  explicit Events(AuraEvents* handle) : handle_(handle) {}
  static Events from_files(const std::string& pattern, const OptionalText& roles = {}, const OptionalText& engine = {},
                           const Cancel* cancel = nullptr) {
    return Events(detail::give<AuraEvents>(aura_events_from_files, pattern.c_str(), detail::or_null(roles),
                                           detail::or_null(engine), detail::or_null(cancel)));
  }
  static Events from_bytes(const std::string& name, std::string_view content, const OptionalText& roles = {},
                           const OptionalText& engine = {}, const Cancel* cancel = nullptr) {
    return Events(detail::give<AuraEvents>(aura_events_from_bytes, name.c_str(), detail::bytes_of(content), content.size(),
                                           detail::or_null(roles), detail::or_null(engine), detail::or_null(cancel)));
  }
  /// Takes a table as bytes of Arrow IPC.
  static Events from_ipc(std::string_view content, const OptionalText& roles = {}, const OptionalText& engine = {}) {
    return Events(detail::give<AuraEvents>(aura_events_from_ipc, detail::bytes_of(content), content.size(),
                                           detail::or_null(roles), detail::or_null(engine)));
  }
  /// Takes the stream over, also when it throws.
  static Events from_stream(ArrowArrayStream* stream, const OptionalText& roles = {}, const OptionalText& engine = {}) {
    return Events(
        detail::give<AuraEvents>(aura_events_from_stream, stream, detail::or_null(roles), detail::or_null(engine)));
  }
  /// Takes array and schema over, also when it throws.
  static Events from_array(ArrowArray* array, ArrowSchema* schema, const OptionalText& roles = {},
                           const OptionalText& engine = {}) {
    return Events(detail::give<AuraEvents>(aura_events_from_array, array, schema, detail::or_null(roles),
                                           detail::or_null(engine)));
  }

  Table sql(const std::string& query, const Cancel* cancel = nullptr) const {
    return Table(detail::give<AuraTable>(aura_sql, get(), query.c_str(), detail::or_null(cancel)));
  }
  Table run(const std::string& spec, const Cancel* cancel = nullptr) const {
    return Table(detail::give<AuraTable>(aura_run, get(), spec.c_str(), detail::or_null(cancel)));
  }
  /// Answers a JSON list of `count` analyses in one pass.
  std::vector<Table> run_all(const std::string& specs, std::size_t count, const Cancel* cancel = nullptr) const {
    std::vector<AuraTable*> handles(count, nullptr);
    AuraTable* none = nullptr;
    AuraTable** places = count == 0 ? &none : handles.data();
    detail::call(aura_run_all, get(), specs.c_str(), detail::or_null(cancel), places, count);
    std::vector<Table> tables;
    tables.reserve(count);
    for (AuraTable* handle : handles) tables.emplace_back(handle);
    return tables;
  }
  Table metrics(const Registry& registry, const std::string& query, const Cancel* cancel = nullptr) const {
    return Table(detail::give<AuraTable>(aura_metrics, get(), registry.get(), query.c_str(), detail::or_null(cancel)));
  }
  std::string explain_metrics(const Registry& registry, const std::string& query, const Cancel* cancel = nullptr) const {
    return detail::text(aura_explain_metrics, get(), registry.get(), query.c_str(), detail::or_null(cancel));
  }
  /// Findings, as JSON.
  std::string insights(const Registry& registry, const OptionalText& spec = {}, const Cancel* cancel = nullptr) const {
    return detail::text(aura_insights, get(), registry.get(), detail::or_null(spec), detail::or_null(cancel));
  }
  /// A report, as JSON, for report_html and report_markdown.
  std::string report(const Registry& registry, const OptionalText& spec = {}, const Cancel* cancel = nullptr) const {
    return detail::text(aura_report, get(), registry.get(), detail::or_null(spec), detail::or_null(cancel));
  }
  const AuraEvents* get() const noexcept { return handle_.get(); }

 private:
  detail::Owner<AuraEvents, aura_events_free> handle_;
};

/// Renders a report as one file of HTML.
inline std::string report_html(const std::string& report, const OptionalText& options = {}) {
  return detail::text(aura_report_html, report.c_str(), detail::or_null(options));
}

/// Renders a report as Markdown.
inline std::string report_markdown(const std::string& report, const OptionalText& options = {}) {
  return detail::text(aura_report_markdown, report.c_str(), detail::or_null(options));
}

/// Draws a chart as SVG.
inline std::string chart_svg(const std::string& chart, const std::string& language = "en") {
  return detail::text(aura_chart_svg, chart.c_str(), language.c_str());
}

/// Describes a chart for Vega-Lite.
inline std::string chart_vega_lite(const std::string& chart, const std::string& language = "en") {
  return detail::text(aura_chart_vega_lite, chart.c_str(), language.c_str());
}

/// Rules of insights as JSON; those that come with AURA without a text.
inline std::string rules_json(const OptionalText& rules = {}) {
  return detail::text(aura_rules_json, detail::or_null(rules));
}

/// A source of events, which is read once.
class Source {
 public:
  explicit Source(AuraSource* handle) : handle_(handle) {}
  static Source path(const std::string& path) { return Source(detail::give<AuraSource>(aura_source_path, path.c_str())); }
  static Source bytes(const std::string& name, std::string_view content) {
    return Source(detail::give<AuraSource>(aura_source_bytes, name.c_str(), detail::bytes_of(content), content.size()));
  }
  /// Takes the stream over, also when it throws.
  static Source stream(const std::string& name, ArrowArrayStream* stream) {
    return Source(detail::give<AuraSource>(aura_source_stream, name.c_str(), stream));
  }
  static Source git(const std::string& path, const OptionalText& options = {}) {
    return Source(detail::give<AuraSource>(aura_source_git, path.c_str(), detail::or_null(options)));
  }
  /// Takes bytes as a function gives them: it fills what it is given and returns how many bytes it wrote, 0 at the end. It is
  /// called by threads of the library, one at a time; what it throws fails the ingest.
  static Source reader(const std::string& name, std::function<std::size_t(std::uint8_t*, std::size_t)> read) {
    using Function = std::function<std::size_t(std::uint8_t*, std::size_t)>;
    auto owned = std::make_unique<Function>(std::move(read));
    auto call = [](void* user, std::uint8_t* into, std::size_t capacity) -> std::int64_t {
      try {
        return static_cast<std::int64_t>((*static_cast<Function*>(user))(into, capacity));
      } catch (...) {
        return -1;
      }
    };
    auto done = [](void* user) { delete static_cast<Function*>(user); };
    // From here on the library calls `done`, also when the call fails.
    return Source(detail::give<AuraSource>(aura_source_reader, name.c_str(), +call, +done, static_cast<void*>(owned.release())));
  }
  const AuraSource* get() const noexcept { return handle_.get(); }

 private:
  detail::Owner<AuraSource, aura_source_free> handle_;
};

/// How a source is ingested.
struct IngestOptions {
  /// roles, format, preset, limits, as JSON.
  OptionalText options;
  /// What each row is checked against.
  const Contract* contract = nullptr;
  /// Is told how far the ingest is, by the calling thread. What it throws cancels the ingest and is thrown to the caller.
  std::function<void(const AuraIngestState&)> progress;
  const Cancel* cancel = nullptr;
};

/// The durable home of events.
class Store {
 public:
  explicit Store(AuraStore* handle) : handle_(handle) {}
  static Store open(const std::string& path, bool create = true, const OptionalText& settings = {}) {
    return Store(detail::give<AuraStore>(aura_store_open, path.c_str(), create, detail::or_null(settings)));
  }
  static Store open_memory(const OptionalText& settings = {}) {
    return Store(detail::give<AuraStore>(aura_store_open_memory, detail::or_null(settings)));
  }

  /// Reads a source into the store: all or nothing. Returns the report, as JSON.
  std::string ingest(const Source& source, const IngestOptions& options = {}) const {
    Progress progress{&options.progress, nullptr};
    auto call = [](void* user, const AuraIngestState* state) -> std::int32_t {
      auto* progress = static_cast<Progress*>(user);
      try {
        (*progress->function)(*state);
        return 0;
      } catch (...) {
        progress->thrown = std::current_exception();
        return 1;
      }
    };
    AuraProgressFunction function = options.progress ? +call : nullptr;
    const AuraContract* contract = options.contract ? options.contract->get() : nullptr;
    try {
      return detail::text(aura_store_ingest, get(), source.get(), detail::or_null(options.options), contract, function,
                          static_cast<void*>(&progress), detail::or_null(options.cancel));
    } catch (const Error&) {
      if (progress.thrown) std::rethrow_exception(progress.thrown);
      throw;
    }
  }
  /// Appends a small batch and returns the report, as JSON. Takes the stream over, also when it throws.
  std::string append(ArrowArrayStream* stream, const OptionalText& options = {}, const Contract* contract = nullptr,
                     const Cancel* cancel = nullptr) const {
    const AuraContract* checked = contract ? contract->get() : nullptr;
    return detail::text(aura_store_append, get(), stream, detail::or_null(options), checked, detail::or_null(cancel));
  }
  Events events(const Cancel* cancel = nullptr) const {
    return Events(detail::give<AuraEvents>(aura_store_events, get(), detail::or_null(cancel)));
  }
  Events snapshot(const std::string& at, const Cancel* cancel = nullptr) const {
    return Events(detail::give<AuraEvents>(aura_store_snapshot, get(), at.c_str(), detail::or_null(cancel)));
  }
  Table quarantine(const Cancel* cancel = nullptr) const {
    return Table(detail::give<AuraTable>(aura_store_quarantine, get(), detail::or_null(cancel)));
  }
  std::string settings() const { return detail::text(aura_store_settings, get()); }
  std::string snapshots(const Cancel* cancel = nullptr) const {
    return detail::text(aura_store_snapshots, get(), detail::or_null(cancel));
  }
  std::string stats(const Cancel* cancel = nullptr) const {
    return detail::text(aura_store_stats, get(), detail::or_null(cancel));
  }
  std::uint64_t flush(const Cancel* cancel = nullptr) const {
    std::uint64_t count = 0;
    detail::call(aura_store_flush, get(), detail::or_null(cancel), &count);
    return count;
  }
  std::string compact(const Cancel* cancel = nullptr) const {
    return detail::text(aura_store_compact, get(), detail::or_null(cancel));
  }
  std::string expire(std::int64_t older_than_us, const Cancel* cancel = nullptr) const {
    return detail::text(aura_store_expire, get(), older_than_us, detail::or_null(cancel));
  }
  std::uint64_t expire_snapshots(std::int64_t older_than_us, const Cancel* cancel = nullptr) const {
    std::uint64_t count = 0;
    detail::call(aura_store_expire_snapshots, get(), older_than_us, detail::or_null(cancel), &count);
    return count;
  }
  std::string erase(const std::string& actor, const Cancel* cancel = nullptr) const {
    return detail::text(aura_store_erase, get(), actor.c_str(), detail::or_null(cancel));
  }
  void close() const noexcept { aura_store_close(get()); }
  bool is_closed() const noexcept { return aura_store_is_closed(get()); }
  const AuraStore* get() const noexcept { return handle_.get(); }

 private:
  struct Progress {
    const std::function<void(const AuraIngestState&)>* function;
    std::exception_ptr thrown;
  };

  detail::Owner<AuraStore, aura_store_free> handle_;
};

}  // namespace aura

#endif  // AURA_HPP
