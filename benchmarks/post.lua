-- What wrk sends for benchmarks/serving.py: the file that BODY names, as a POST; and what it reports.
wrk.method = "POST"
local file = assert(io.open(os.getenv("BODY")))
wrk.body = file:read("*a")
file:close()

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nJSON {"p50": %d, "p99": %d, "count": %d, "microseconds": %d, "refused": %d, "broken": %d}\n',
    latency:percentile(50), latency:percentile(99), summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
