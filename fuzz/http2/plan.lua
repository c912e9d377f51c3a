-- plan.lua: what an input is to do: a byte that says how, then steps. A step is
-- a frame of the client (a byte below 128; flags, stream, size and payload
-- follow) or a call of the handler's side (its stream follows).
local bit = require "bit"

local plan = {
    PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    CALLS = { "head", "read", "trailers", "inform", "respond", "respond_only",
        "write", "finish", "reset", "forget", "leave", "news", "output" },
}

local FLOOD = 112 -- a frame's byte from here on: it comes so often:
local TIMES = 1100
local SIZES = { [0] = 0, 1, 100, 5000, 16384, 40000, 65536, 100000 }
local CUTS = { [0] = 1, 7, 9, 100 }

-- n as so many bytes, the highest first.
local function number(n, size)
    local bytes = {}
    for i = size, 1, -1 do
        bytes[i] = string.char(n % 256)
        n = math.floor(n / 256)
    end
    return table.concat(bytes)
end

local function frame(step, input, at)
    local flags, id, size = input:byte(at, at + 2)
    step.flags, step.id = flags or 0, id or 0
    step.kind = step.op % 16
    step.payload = input:sub(at + 3, at + 2 + (size or 0))
    step.times = step.op >= FLOOD and TIMES or 1
    step.bytes = number(#step.payload, 3) .. string.char(step.kind, step.flags)
        .. number(step.id, 4) .. step.payload
    return at + 3 + #step.payload
end

local function call(step, input, at)
    local n = step.op - 128
    step.call = plan.CALLS[n % 16 + 1] or "output"
    step.size = SIZES[math.floor(n / 16)]
    step.id = input:byte(at) or 1
    return at + 1
end

-- { small = limits, lazy = news and output only where steps ask for them, cut =
-- bytes that are fed at a time, steps = { ... } }
function plan.read(input)
    local how = input:byte(1) or 0
    local self = {
        small = bit.band(how, 1) ~= 0,
        lazy = bit.band(how, 2) ~= 0,
        bare = bit.band(how, 4) ~= 0, -- no preface: the first frame is it
        cut = CUTS[bit.band(bit.rshift(how, 3), 3)],
        steps = {},
    }
    local at = 2
    while at <= #input do
        local step = { op = input:byte(at) }
        at = (step.op < 128 and frame or call)(step, input, at + 1)
        self.steps[#self.steps + 1] = step
    end
    return self
end

-- The number that 4 bytes are.
function plan.value(bytes, at)
    local a, b, c, d = bytes:byte(at, at + 3)
    return d and ((a * 256 + b) * 256 + c) * 256 + d or 0
end

return plan
