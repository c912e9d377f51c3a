-- ports.lua: documents name ports, such as 8080; a run has free ones in their
-- places.
local ffi = require "ffi"
local quoll = require "quoll"

local Ports = {}
Ports.__index = Ports

-- Below those that the system gives to others who ask for any.
local lowest, highest = 10240, 32000
local taken = {} -- by other documents of this run

math.randomseed(ffi.C.getpid() + os.time())

local function free()
    while true do
        local port = math.random(lowest, highest)
        local listener = not taken[port]
            and quoll.listen("127.0.0.1:" .. port)
        if listener then
            taken[port] = true
            listener:close()
            return tostring(port)
        end
    end
end

-- The port that stands for one of a document, "7000" to "8999".
function Ports:of(port)
    self[port] = self[port] or free()
    return self[port]
end

-- A text with its ports exchanged.
function Ports:exchange(text)
    return (text:gsub("([:= /])([78]%d%d%d)%f[^%w]", function(before, port)
        return port ~= "8192" and before .. self:of(port) or nil
    end))
end

local function new()
    return setmetatable({}, Ports)
end

return { new = new }
