--- stdin, stdout and stderr as connections, made at the first use.
-- @module quoll.stdio

local core = require "quoll.core"

local stdio = {}

local numbers = { stdin = 0, stdout = 1, stderr = 2 }

--- The connection of a name; nil for any other name. Raises when the descriptor
-- is closed. A duplicate: closing it leaves the descriptor open. The open file,
-- which others share, is left as it is.
-- @string name "stdin", "stdout" or "stderr"
-- @treturn ?Connection owned by no task
function stdio.get(name)
  local fd = numbers[name]
  if not fd then
    return nil
  end
  local conn, err = core.adopt(fd, true, true)
  if not conn then
    core.raise(("%s: %s"):format(name, err))
  end
  return conn:disown()
end

return stdio
