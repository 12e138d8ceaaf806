// Ingests a file into a store, and prints a funnel and who comes back, asked in one pass.
//
//   c++ -std=c++17 funnel.cpp $(pkg-config --cflags --libs aura) -o funnel
//   ./funnel events.ndjson
#include <aura.hpp>

#include <exception>
#include <iostream>

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: " << arguments[0] << " FILE\n";
    return 2;
  }
  try {
    aura::check_abi();
    aura::Store store = aura::Store::open_memory();
    aura::IngestOptions options;
    options.progress = [](const AuraIngestState& state) { std::cerr << state.rows_read << " rows\n"; };
    std::cout << store.ingest(aura::Source::path(arguments[1]), options) << '\n';

    const char* specs = R"([
      {"funnel": {"steps": ["product_view", "add_to_cart", "purchase"], "within": "7d"}},
      {"retention": {"period": "week"}}
    ])";
    for (const aura::Table& table : store.events().run_all(specs, 2)) std::cout << table.draw() << '\n';
  } catch (const aura::Error& error) {
    std::cerr << error.code() << ": " << error.what() << '\n';
    return static_cast<int>(error.status());
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
