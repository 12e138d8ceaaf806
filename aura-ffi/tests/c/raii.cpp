// The C++ header: owners that move, errors that are thrown, functions of the caller that throw.
#include <aura.hpp>

#include <iostream>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "events.h"

static_assert(!std::is_copy_constructible_v<aura::Events>);
static_assert(std::is_nothrow_move_constructible_v<aura::Events>);

namespace {

aura::Events make_events(int64_t rows) {
  ArrowArrayStream stream;
  make_stream(&stream, rows);
  return aura::Events::from_stream(&stream);
}

void questions() {
  aura::Events events = make_events(30);
  aura::Events moved = std::move(events);
  aura::Table table = moved.run(R"({"funnel": {"steps": ["view", "buy"]}})");
  CHECK(table.row_count() == 2);
  CHECK(table.export_as("csv").find("count") != std::string::npos);
  CHECK(moved.run_all(R"([{"sessions": {"gap": "30m"}}, {"retention": {"period": "day"}}])", 2).size() == 2);
  aura::Registry registry = aura::Registry::builtin();
  CHECK(moved.metrics(registry, R"({"metrics": ["active_actors"]})").row_count() > 0);
  std::string report = moved.report(registry);
  CHECK(aura::report_html(report).find("<h1>") != std::string::npos);
  {
    aura::Stream stream = table.stream();
    ArrowSchema schema;
    CHECK(stream.get()->get_schema(stream.get(), &schema) == 0);
    schema.release(&schema);
  }
  ArrowArrayStream released = table.stream().release();
  CHECK(count_rows(&released) == 2);
  try {
    // What was moved away is empty, and says so.
    events.sql("SELECT 1");
    CHECK(false);
  } catch (const aura::Error& error) {
    CHECK(error.status() == AURA_STATUS_INVALID_SPEC);
  }
}

void mistakes() {
  aura::Events events = make_events(10);
  try {
    events.sql("SELECT nothing FROM events");
    CHECK(false);
  } catch (const aura::Error& error) {
    CHECK(error.status() == AURA_STATUS_INVALID_SPEC);
    CHECK(error.code() == "INVALID_SPEC");
    CHECK(std::string(error.what()).find("nothing") != std::string::npos);
  }
}

void stores(const std::string& directory) {
  aura::Store store = aura::Store::open(directory, true, R"({"background": false})");
  ArrowArrayStream stream;
  make_stream(&stream, 30);
  aura::Source source = aura::Source::stream("events", &stream);
  int told = 0;
  aura::IngestOptions options;
  options.progress = [&told](const AuraIngestState&) { ++told; };
  std::string report = store.ingest(source, options);
  CHECK(told > 0 && report.find("\"accepted\":30") != std::string::npos);

  aura::Source again = aura::Source::bytes("rows", R"({"actor": "z", "event": "view", "time": 0})");
  options.progress = [](const AuraIngestState&) { throw std::domain_error("enough"); };
  try {
    store.ingest(again, options);
    CHECK(false);
  } catch (const std::domain_error& error) {
    // What the function throws goes around the library, not through it.
    CHECK(std::string(error.what()) == "enough");
  }
  CHECK(store.events().sql("SELECT * FROM events").row_count() == 30);
  store.compact();
  store.close();
  CHECK(store.is_closed());
}

}  // namespace

int main(int count, char** arguments) {
  CHECK(count == 2);
  aura::check_abi();
  questions();
  mistakes();
  stores(arguments[1]);
  CHECK(alive == 0);
  std::cout << "raii: everything passed\n";
}
