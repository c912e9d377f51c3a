-- packaged.lua: what the specs of packages share: commands that see nothing of
-- what the suite puts into every luajit, and a script that needs all of quoll.
local native = require "spec.support.native"

local packaged = {}

local CLEAN = "env -u LD_PRELOAD -u LUA_INIT -u LUA_PATH -u LUA_CPATH "
    .. "-u MAKEFLAGS -u MAKELEVEL -u DESTDIR "

-- Serves a request; says whether all that it has loaded lies in arg[1].
local SCRIPT = [[
local quoll = require "quoll"
local answer = quoll.run(function()
    local listener = assert(quoll.listen "127.0.0.1:0")
    local server = quoll.spawn(quoll.http.serve, listener, function(req)
        return "served " .. req.path
    end)
    local res = assert(quoll.http.get("http://" .. listener:address() .. "/x"))
    local body = res:body()
    server:cancel()
    return body
end)
for _, module in ipairs { "", ".http", ".tls", ".dns", ".websocket" } do
    require("quoll.core" .. module)
end
if arg[1] then
    for line in io.lines "/proc/self/maps" do
        local path = line:match "%S*libquoll%S*$" or line:match "%S*/quoll/%S*$"
        assert(not path or path:find(arg[1], 1, true) == 1, path)
    end
end
print(answer)
]]

-- Output and status; ends within limit s.
function packaged.shell(command, limit)
    local patience = tonumber(os.getenv "QUOLL_TEST_PATIENCE" or 1)
    local pipe = assert(io.popen(("%s timeout -k 5 %d sh -c '%s' 2>&1; echo $?")
        :format(CLEAN, (limit or 30) * patience, command)))
    local out, code = pipe:read("*a"):match "^(.-)(%d+)\n$"
    pipe:close()
    return out, tonumber(code)
end

function packaged.succeeds(command, limit)
    local out, code = packaged.shell(command, limit)
    assert(code == 0, out)
    return out
end

-- A new folder, with script.lua in it.
function packaged.folder()
    local dir = os.tmpname()
    os.remove(dir)
    packaged.succeeds("mkdir " .. dir)
    local file = assert(io.open(dir .. "/script.lua", "w"))
    file:write(SCRIPT)
    file:close()
    return dir
end

-- Asserts that dir's script runs by what lies below lua and modules, and loads
-- nothing of quoll's from outside of dir.
function packaged.runs(dir, lua, modules, environment)
    local said = packaged.succeeds(('cd %s && LUA_PATH="%s/?.lua;'
        .. '%s/?/init.lua" LUA_CPATH="%s/?.so" %s luajit script.lua %s/')
        :format(dir, lua, lua, modules, environment or "", dir))
    assert(said == "served /x\n", said)
end

packaged.root = native.cwd()
packaged.built = packaged.root .. "/" .. native.build

return packaged
