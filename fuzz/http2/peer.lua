-- peer.lua: the client's view: what it has allowed, by its frames, and what the
-- server has sent. Judges each frame of the server.
local bit = require "bit"
local plan = require "fuzz.http2.plan"

local value = plan.value

local DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION =
    0, 1, 3, 4, 6, 7, 8, 9
local KINDS = { [DATA] = true, [HEADERS] = true, [RST_STREAM] = true,
    [SETTINGS] = true, [PING] = true, [GOAWAY] = true, [WINDOW] = true,
    [CONTINUATION] = true }
local END_STREAM, INITIAL_WINDOW, FRAME = 1, 4, 16384

local Peer = {}
Peer.__index = Peer

local peer = {}

function peer.new()
    return setmetatable({
        rest = "",
        streams = {},
        window = 65535, -- bytes that all bodies may have: at most, as these
        initial = 65535, -- of one stream
        refused = false, -- the server has ended a stream, or all of them
    }, Peer)
end

function Peer:stream(id)
    local s = self.streams[id]
    if not s then
        s = { more = 0, payload = 0, data = 0, written = 0 }
        self.streams[id] = s
    end
    return s
end

-- Notes what a frame of the client allows.
function Peer:allow(step)
    local s = self:stream(step.id)
    if step.kind == DATA then
        s.payload = s.payload + #step.payload * step.times
    elseif step.kind == WINDOW then
        local n = value(step.payload, 1) % 2 ^ 31 * step.times
        if step.id == 0 then
            self.window = self.window + n
        end
        s.more = s.more + n
    elseif step.kind == SETTINGS then
        for at = 1, #step.payload, 6 do
            if value("\0\0" .. step.payload:sub(at, at + 1), 1)
                == INITIAL_WINDOW
            then
                self.initial = math.max(self.initial,
                    value(step.payload, at + 2))
            end
        end
    end
end

local function check_data(self, s, size)
    s.data = s.data + size
    self.window = self.window - size
    assert(s.data <= s.written, "bytes that nobody has written")
    assert(s.data <= self.initial + s.more, "beyond a stream's window")
    assert(self.window >= 0, "beyond the connection's window")
end

local function check_frame(self, kind, flags, id, size)
    assert(KINDS[kind], "a frame of no kind")
    assert(size <= FRAME, "a long frame")
    local s = self:stream(id)
    if kind == DATA or kind == HEADERS then
        assert(s.responded, "an answer that nobody has given")
        assert(not s.ended, "more after the end")
        s.ended = bit.band(flags, END_STREAM) ~= 0
    end
    if kind == DATA then
        check_data(self, s, size)
        assert(not s.ended or s.finished and s.data == s.written,
            "an end that is none")
    end
    s.ended = s.ended or kind == RST_STREAM
    self.refused = self.refused or kind == RST_STREAM or kind == GOAWAY
end

-- What the server sends.
function Peer:take(bytes)
    self.rest = self.rest .. bytes
    while #self.rest >= 9 do
        local size = value("\0" .. self.rest:sub(1, 3), 1)
        if #self.rest < 9 + size then
            return
        end
        check_frame(self, self.rest:byte(4), self.rest:byte(5),
            value(self.rest, 6), size)
        self.rest = self.rest:sub(10 + size)
    end
end

return peer
