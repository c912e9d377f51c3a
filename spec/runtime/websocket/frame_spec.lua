local helper = require "spec.helper"
local ffi, C = helper.ffi, helper.C
local lib = ffi.load(helper.build .. "/lib/libquoll-frame.so")

local MASK = "\x37\xfa\x21\x3d"

local function hex(text)
    return (text:gsub("%s", ""):gsub("..", function(digits)
        return string.char(tonumber(digits, 16))
    end))
end

local function masked(payload, mask)
    local to = ffi.new("uint8_t[?]", math.max(#payload, 1))
    lib.ql_frame_mask(to, ffi.cast("const uint8_t *", payload), #payload,
        ffi.cast("const uint8_t *", mask))
    return ffi.string(to, #payload)
end

-- A frame as a client or, mask nil, as a server sends it.
local function frame(first, payload, mask)
    local to = ffi.new("uint8_t[14]")
    local n = lib.ql_frame_head(to, first, #payload,
        mask and ffi.cast("const uint8_t *", mask))
    return ffi.string(to, n) .. (mask and masked(payload, mask) or payload)
end

local function receiver(settings)
    local frames = ffi.new("ql_frames_t", { max = 1000 })
    for name, value in pairs(settings or {}) do
        frames[name] = value
    end
    return frames
end

-- What the frames in data come to: { opcode, payload }...; the last one may be
-- { error, why }. Handed over as `cut` says: bytes there, n at a time.
local function take_all(frames, data, cut)
    local buf = ffi.new("uint8_t[?]", #data + 1, data)
    local at, there, found, parts = 0, 0, {}, ""
    while true do
        local rc = lib.ql_frames_look(frames, buf + at, there - at)
        if rc == C.NGX_OK then
            rc = lib.ql_frames_take(frames, buf + at)
            local payload = ffi.string(buf + at + frames.head, frames.length)
            at = at + tonumber(frames.want)
            if frames.opcode < C.QL_FRAME_CLOSE then
                parts = parts .. payload
                payload = parts
            end
            if rc == C.NGX_OK then
                found[#found + 1] = { frames.opcode, payload }
                parts = frames.opcode < C.QL_FRAME_CLOSE and "" or parts
            end
        elseif rc == C.NGX_AGAIN then
            assert(frames.want > there - at)
            if there == #data then
                return found, #data - at
            end
            there = math.min(#data, there + (cut or #data))
        end
        if rc == C.NGX_ERROR then
            found[#found + 1] = { frames.error, ffi.string(frames.why) }
            return found
        end
    end
end

local FIN, RSV1 = 0x80, 0x40

describe("runtime/websocket/frame", function()
    it("reads the examples of RFC 6455, 5.7", function()
        local server = { client = 1, max = 65536 }
        assert.same({ { 1, "Hello" } },
            take_all(receiver(server), hex "810548656c6c6f"))
        assert.same({ { 1, "Hello" } },
            take_all(receiver(), hex "818537fa213d7f9f4d5158"))
        assert.same({ { 1, "Hello" } },
            take_all(receiver(server), hex "010348656c 80026c6f"))
        assert.same({ { 9, "Hello" }, { 10, "Hello" } }, {
            take_all(receiver(server), hex "890548656c6c6f")[1],
            take_all(receiver(), hex "8a8537fa213d7f9f4d5158")[1] })
        for _, size in ipairs { 256, 65536 } do
            local head = size == 256 and "827e0100" or "827f0000000000010000"
            local data = ("x"):rep(size)
            assert.same({ { 2, data } },
                take_all(receiver(server), hex(head) .. data))
            assert.equal(hex(head), frame(FIN + 2, data):sub(1, -size - 1))
        end
    end)

    it("writes what it reads", function()
        for _, size in ipairs { 0, 1, 125, 126, 127, 65535, 65536 } do
            local data = ("q"):rep(size)
            for _, mask in ipairs { false, MASK } do
                local text = frame(FIN + 1, data, mask or nil)
                assert.same({ { 1, data } }, take_all(
                    receiver { client = mask and 0 or 1, max = 65536 }, text))
            end
        end
    end)

    it("masks at every size, in place too", function()
        for size = 0, 100 do
            local data = ("0123456789abcdef"):rep(7):sub(1, size)
            local expected = {}
            for i = 1, size do
                expected[i] = string.char(bit.bxor(data:byte(i),
                    MASK:byte((i - 1) % 4 + 1)))
            end
            assert.equal(table.concat(expected), masked(data, MASK))
            local buf = ffi.new("uint8_t[?]", size + 1, data)
            lib.ql_frame_mask(buf, buf, size,
                ffi.cast("const uint8_t *", MASK))
            assert.equal(table.concat(expected), ffi.string(buf, size))
        end
    end)
end)

-- What is refused, with its close code; by a server, `from` a client, unless
-- the frames are a server's.
local refused = {
    { 1002, "reserved opcode", frame(FIN + 3, "", MASK) },
    { 1002, "reserved opcode", frame(FIN + 7, "", MASK) },
    { 1002, "reserved opcode", frame(FIN + 11, "", MASK) },
    { 1002, "reserved opcode", frame(FIN + 15, "", MASK) },
    { 1002, "reserved bit set", frame(FIN + RSV1 + 1, "a", MASK) },
    { 1002, "reserved bit set", frame(FIN + 0x20 + 1, "a", MASK) },
    { 1002, "reserved bit set", frame(FIN + 0x10 + 9, "a", MASK) },
    { 1002, "reserved bit set", frame(FIN + RSV1 + 9, "a", MASK),
        { deflate = 1 } },
    { 1002, "reserved bit set",
        frame(1, "a", MASK) .. frame(FIN + RSV1, "a", MASK), { deflate = 1 } },
    { 1002, "fragmented control frame", frame(9, "a", MASK) },
    { 1002, "control frame too large", frame(FIN + 9, ("a"):rep(126), MASK) },
    { 1002, "control frame too large", frame(FIN + 8, ("a"):rep(126), MASK) },
    { 1002, "continuation of no message", frame(FIN, "a", MASK) },
    { 1002, "continuation of no message", frame(0, "a", MASK) },
    { 1002, "message within a message",
        frame(1, "a", MASK) .. frame(FIN + 1, "a", MASK) },
    { 1002, "message within a message",
        frame(1, "a", MASK) .. frame(2, "a", MASK) },
    { 1002, "frame without a mask", frame(FIN + 1, "a") },
    { 1002, "masked frame from a server", frame(FIN + 1, "a", MASK),
        { client = 1 } },
    { 1002, "bad length", hex "82fe007d 00000000" },
    { 1002, "bad length", hex "82ff000000000000ffff 00000000" },
    { 1002, "bad length", hex "82ffffffffffffffffff 00000000" },
    { 1009, "message too large", frame(FIN + 2, ("a"):rep(1001), MASK) },
    { 1009, "message too large", hex "82ff7fffffffffffffff 00000000" },
    { 1009, "message too large", frame(2, ("a"):rep(600), MASK)
        .. frame(FIN, ("a"):rep(401), MASK) },
    { 1007, "text is no UTF-8", frame(FIN + 1, "\xce", MASK) },
    { 1007, "text is no UTF-8", frame(1, "\xce", MASK)
        .. frame(FIN, "a", MASK) },
    { 1007, "text is no UTF-8", frame(1, "\xed\xa0", MASK) },
    { 1002, "bad close code", frame(FIN + 8, "\3", MASK) },
    { 1007, "close reason is no UTF-8", frame(FIN + 8, "\3\xe8\xff", MASK) },
    { 1007, "close reason is no UTF-8", frame(FIN + 8, "\3\xe8\xce", MASK) },
}

describe("runtime/websocket/frame", function()
    it("refuses what RFC 6455 forbids, however it is cut", function()
        for i, case in ipairs(refused) do
            local code, why, data, settings = unpack(case, 1, 4)
            for cut = 1, 3 do
                local found = take_all(receiver(settings), data,
                    cut < 3 and cut or #data)
                assert.same({ code, why }, found[#found], "case " .. i)
            end
        end
    end)

    it("knows which close codes may be sent", function()
        local good = {}
        for code = 0, 5100 do
            if lib.ql_close_code(code) then
                good[#good + 1] = code
            end
        end
        assert.equal(4 + 8 + 2000, #good)
        assert.equal(1000, good[1])
        assert.same({ 1003, 1007 }, { good[4], good[5] })
        assert.same({ 1014, 3000 }, { good[12], good[13] })
        assert.equal(4999, good[#good])
    end)

    it("takes control frames within a message, and counts its bytes once",
        function()
            local data = frame(1, "\xce", MASK) .. frame(FIN + 9, "p", MASK)
                .. frame(0, "\xba", MASK) .. frame(FIN + 10, "", MASK)
                .. frame(FIN, "", MASK) .. frame(FIN + 1, ("a"):rep(1000), MASK)
            assert.same({ { 9, "p" }, { 10, "" }, { 1, "\xce\xba" },
                { 1, ("a"):rep(1000) } }, take_all(receiver(), data))
        end)

    it("leaves the text of compressed messages to who inflates them",
        function()
            local frames = receiver { deflate = 1 }
            assert.same({ { 1, "\xff\xff" } }, take_all(frames,
                frame(RSV1 + 1, "\xff", MASK) .. frame(FIN, "\xff", MASK)))
            assert.equal(1, frames.compressed)
            assert.same({ { 1, "a" } },
                take_all(frames, frame(FIN + 1, "a", MASK)))
            assert.equal(0, frames.compressed)
        end)
end)

-- Frames at random and what a receiver of 300 bytes makes of them, by a model
-- of its own.
local function model(settings)
    local self = { found = {}, sent = {} }
    local message, size, opcode = nil, 0, nil

    function self.add(first, payload)
        local op = first % 16
        self.sent[#self.sent + 1] = frame(first, payload,
            settings.client == 0 and MASK or nil)
        if op == 9 or op == 10 then
            self.found[#self.found + 1] = { op, payload }
            return true
        end
        if (op == 0) ~= (message ~= nil) then
            self.found[#self.found + 1] = { 1002, op == 0
                and "continuation of no message"
                or "message within a message" }
            return false
        end
        size = size + #payload
        if size > 300 then
            self.found[#self.found + 1] = { 1009, "message too large" }
            return false
        end
        message = (message or "") .. payload
        opcode = opcode or op
        if first >= FIN then
            self.found[#self.found + 1] = { opcode, message }
            message, size, opcode = nil, 0, nil
        end
        return true
    end

    return self
end

describe("runtime/websocket/frame", function()
    it("agrees with a model", function()
        math.randomseed(6455)
        local random = math.random
        for round = 1, 1500 do
            local settings = { client = round % 2, max = 300 }
            local m = model(settings)
            local open = false
            for _ = 1, random(1, 12) do
                local op = ({ 9, 10, 0, 0, 1, 2 })[random(6)]
                local fin = (op > 8 or random(2) == 1) and FIN or 0
                if op < 8 and random(20) > 1 then
                    op = open and 0 or random(2)
                end
                open = op < 8 and fin == 0 or (op > 8 and open)
                local payload = ("k"):rep(op > 8 and random(0, 125)
                    or random(0, random(5) == 1 and 200 or 60))
                if not m.add(fin + op, payload) then
                    break
                end
            end
            local data = table.concat(m.sent)
            assert.same(m.found, (take_all(receiver(settings), data,
                random(1, 40))), "round " .. round)
        end
    end)

    it("survives any bytes", function()
        math.randomseed(7692)
        for _ = 1, 3000 do
            local bytes = {}
            for i = 1, math.random(1, 60) do
                bytes[i] = string.char(math.random(4) == 1
                    and math.random(0, 255) or math.random(0, 3) * 64
                    + math.random(0, 10))
            end
            local data = table.concat(bytes)
            local settings = { client = math.random(0, 1),
                deflate = math.random(0, 1), max = 40 }
            assert.same((take_all(receiver(settings), data)),
                (take_all(receiver(settings), data, 1)))
        end
    end)
end)
