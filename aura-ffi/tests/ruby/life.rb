# One of everything in Ruby.
require "json"
require "aura_ffi"

def check(condition, what)
  raise "failed: #{what}" unless condition
end

folder = ARGV.fetch(0)
content = File.binread(File.join(folder, "rows.arrow"))
events = AuraFfi::Events.from_ipc(content, nil, nil)
check events.columns == %w[actor event time plan amount], "columns"
table = events.run(JSON.generate({ funnel: { steps: %w[view buy] } }), nil)
check table.num_rows == 2, "funnel"
File.binwrite(File.join(folder, "out.arrow"), events.sql("SELECT * FROM events", nil).to_ipc)

begin
  events.sql("SELECT nothing FROM events", nil)
  check false, "an error"
rescue AuraFfi::AuraError::InvalidSpec => e
  check e.message.include?("nothing"), "a message, found #{e.message}"
end

registry = AuraFfi::Registry.builtin(nil)
check registry.names.include?("active_actors"), "metrics"
report = events.report(registry, JSON.generate({ title: "Shop" }), nil)
check AuraFfi.report_html(report, nil).include?("<h1>Shop</h1>"), "report"

store = AuraFfi::Store.open(File.join(folder, "my.aura"), true, nil)
progress = AuraFfi::Progress.new
done = JSON.parse(store.ingest(AuraFfi::Source.bytes("rows", content), nil, nil, progress, nil))
check done["accepted"] == 4, "ingest"
check progress.now.rows_read == 4, "progress"
check JSON.parse(store.stats(nil))["events"] == 4, "stats"
store.close_store
check store.is_closed, "closed"
begin
  store.stats(nil)
  check false, "a closed store"
rescue AuraFfi::AuraError::Conflict => e
  check e.message.include?("closed"), "a message"
end

cancel = AuraFfi::Cancel.new
cancel.cancel
begin
  events.sql("SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b", cancel)
  check false, "a cancelled call"
rescue AuraFfi::AuraError::Cancelled
  puts "everything passed"
end
