-- shell.lua: small questions to the system.
local shell = {}

-- What the command printed. A pipe left to the collector is a descriptor that a
-- forked test sees go.
function shell.output(command)
    local pipe = assert(io.popen(command))
    local text = pipe:read "*a"
    pipe:close()
    return text
end

return shell
