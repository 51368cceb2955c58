-- What wrk sends in `benches/wire.sh emulator`: Get-CASMailbox of one mailbox after the other, with three properties.
--
--   wrk -s calls.lua URL -- TOKEN_FILE IDENTITIES_FILE

local path = "/InvokeCommand?$select=Identity,MAPIEnabled,ImapEnabled"
local bodies, at = {}, 0

function init(arguments)
  local token = assert(io.open(arguments[1])):read("*l")
  for identity in io.lines(arguments[2]) do
    bodies[#bodies + 1] = '{"CmdletInput":{"CmdletName":"Get-CASMailbox","Parameters":{"Identity":"' .. identity .. '"}}}'
  end
  wrk.method = "POST"
  wrk.headers["Authorization"] = "Bearer " .. token
  -- One session, whatever the number of transports.
  wrk.headers["connection-id"] = "5f6f1c0e-6a5c-4b8b-9d43-0f1f6e3c2a11"
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  at = at % #bodies + 1
  return wrk.format(nil, wrk.path .. path, nil, bodies[at])
end

-- Requests, those that had no good answer, and microseconds.
function done(summary)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("%d %d %d\n", summary.requests, failed, summary.duration))
end
