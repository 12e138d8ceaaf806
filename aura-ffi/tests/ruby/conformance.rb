# Runs the vectors in a folder: `cases.json` and the data as Arrow IPC. Each answer becomes `N.arrow` or `N.error.json`.
require "json"
require "aura_ffi"

folder = ARGV.fetch(0)
cases = JSON.parse(File.read(File.join(folder, "cases.json")))
cases.each_with_index do |vector, at|
  content = File.binread(File.join(folder, "#{vector["data"]}.arrow"))
  begin
    events = AuraFfi::Events.from_ipc(content, vector["roles"], nil)
    answer =
      case vector["kind"]
      when "metrics" then events.metrics(AuraFfi::Registry.parse(vector["registry"], nil), vector["ask"], nil)
      when "run" then events.run(vector["ask"], nil)
      when "sql" then events.sql(vector["ask"], nil)
      else raise "unknown kind #{vector["kind"]}"
      end
    File.binwrite(File.join(folder, "#{at}.arrow"), answer.to_ipc)
  rescue AuraFfi::AuraError::InvalidSpec, AuraFfi::AuraError::InvalidData, AuraFfi::AuraError::NotFound,
         AuraFfi::AuraError::ResourceExhausted, AuraFfi::AuraError::Internal => e
    name = e.class.name.split("::").last
    File.write(File.join(folder, "#{at}.error.json"), JSON.generate({ "class" => name, "message" => e.message }))
  end
end
puts "#{cases.length} vectors"
