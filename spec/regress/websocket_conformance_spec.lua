-- What the Autobahn test suite asks of a server, group by group, in small:
-- each case is what a client sends and what it must read, whole and one byte
-- at a time.
local helper = require "spec.helper"
local deflate = require "quoll.http.websocket.deflate"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local sockets = require "spec.support.websocket"

local FIN, RSV1 = sockets.FIN, sockets.RSV1
local TEXT, BINARY, CLOSE, PING, PONG = FIN + 1, FIN + 2, FIN + 8, FIN + 9,
    FIN + 10
local m, code = sockets.masked, sockets.close_frame
local BYE = m(CLOSE, code(1000))

local function bye(number)
    return { CLOSE, code(number or 1000) }
end

local function failed(number, why)
    return { CLOSE, code(number, why) }
end

local hello = "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1"
local bad = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"

local cases = {}

-- A group: { what, sent, frames that are read }...
local function group(name, list)
    for i, case in ipairs(list) do
        cases[#cases + 1] = { name .. "." .. i .. ": " .. case[1], case[2],
            case[3] }
    end
end

local framing = {}
for _, size in ipairs { 0, 125, 126, 127, 128, 300, 66000 } do
    for _, first in ipairs { TEXT, BINARY } do
        local data = ("*"):rep(size)
        framing[#framing + 1] = { size .. " bytes", m(first, data) .. BYE,
            { { first, data }, bye() } }
    end
end
group("1 framing", framing)

local many, pongs = {}, {}
for i = 1, 10 do
    many[i] = m(PING, "payload " .. i)
    pongs[i] = { PONG, "payload " .. i }
end
pongs[11] = bye()

group("2 pings", {
    { "empty", m(PING) .. BYE, { { PONG, "" }, bye() } },
    { "text", m(PING, "Hello") .. BYE, { { PONG, "Hello" }, bye() } },
    { "binary", m(PING, "\0\255\254") .. BYE,
        { { PONG, "\0\255\254" }, bye() } },
    { "125 bytes", m(PING, ("\254"):rep(125)) .. BYE,
        { { PONG, ("\254"):rep(125) }, bye() } },
    { "126 bytes", m(PING, ("\254"):rep(126)),
        { failed(1002, "control frame too large") } },
    { "pong unasked", m(PONG, "x") .. BYE, { bye() } },
    { "pong, then ping", m(PONG) .. m(PING, "y") .. BYE,
        { { PONG, "y" }, bye() } },
    { "ten", table.concat(many) .. BYE, pongs },
})

group("3 reserved bits", {
    { "3", m(TEXT + 0x10, "x"), { failed(1002, "reserved bit set") } },
    { "2 behind a message", m(TEXT, "a") .. m(TEXT + 0x20, "x"),
        { { TEXT, "a" }, failed(1002, "reserved bit set") } },
    { "1 of a ping", m(PING + 0x40), { failed(1002, "reserved bit set") } },
    { "all of a close", m(CLOSE + 0x70, code(1000)),
        { failed(1002, "reserved bit set") } },
})

local opcodes = {}
for _, opcode in ipairs { 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 } do
    opcodes[#opcodes + 1] = { tostring(opcode), m(TEXT, "a")
        .. m(FIN + opcode, "x") .. m(PING), { { TEXT, "a" },
        failed(1002, "reserved opcode") } }
end
group("4 reserved opcodes", opcodes)

group("5 fragments", {
    { "of a ping", m(9, "a") .. m(FIN, "b"),
        { failed(1002, "fragmented control frame") } },
    { "of a pong", m(10, "a") .. m(FIN, "b"),
        { failed(1002, "fragmented control frame") } },
    { "two", m(1, "a") .. m(FIN, "b") .. BYE, { { TEXT, "ab" }, bye() } },
    { "ping between", m(1, "a") .. m(PING, "p") .. m(FIN, "b") .. BYE,
        { { PONG, "p" }, { TEXT, "ab" }, bye() } },
    { "nothing to continue", m(FIN, "x") .. m(TEXT, "a"),
        { failed(1002, "continuation of no message") } },
    { "nothing to continue, unfinished", m(0, "x") .. m(TEXT, "a"),
        { failed(1002, "continuation of no message") } },
    { "continued after its end", m(1, "a") .. m(FIN, "b") .. m(FIN, "c"),
        { { TEXT, "ab" }, failed(1002, "continuation of no message") } },
    { "a message within", m(1, "a") .. m(TEXT, "b"),
        { failed(1002, "message within a message") } },
    { "five, pings between", m(1, "1") .. m(0, "2") .. m(PING, "p")
        .. m(0, "3") .. m(0, "4") .. m(PING, "q") .. m(FIN, "5") .. BYE,
        { { PONG, "p" }, { PONG, "q" }, { TEXT, "12345" }, bye() } },
    { "empty ones", m(1) .. m(0) .. m(FIN) .. BYE, { { TEXT, "" }, bye() } },
})

group("6 UTF-8", {
    { "one frame", m(TEXT, hello) .. BYE, { { TEXT, hello }, bye() } },
    { "cut in a character", m(1, hello:sub(1, 7)) .. m(FIN, hello:sub(8))
        .. BYE, { { TEXT, hello }, bye() } },
    { "not", m(TEXT, bad), { failed(1007, "text is no UTF-8") } },
    { "not, in a fragment: at once", m(1, bad) .. m(PING),
        { failed(1007, "text is no UTF-8") } },
    { "ends in a character", m(TEXT, "\xce\xba\xe1\xbd"),
        { failed(1007, "text is no UTF-8") } },
    { "NUL", m(TEXT, "\0") .. BYE, { { TEXT, "\0" }, bye() } },
    { "the last code point", m(TEXT, "\xf4\x8f\xbf\xbf") .. BYE,
        { { TEXT, "\xf4\x8f\xbf\xbf" }, bye() } },
    { "above it", m(TEXT, "\xf4\x90\x80\x80"),
        { failed(1007, "text is no UTF-8") } },
    { "binary is not looked at", m(BINARY, bad) .. BYE,
        { { BINARY, bad }, bye() } },
})

local closes = {
    { "without a code", m(CLOSE), { { CLOSE, "" } } },
    { "twice", BYE .. BYE, { bye() } },
    { "nothing after it", BYE .. m(PING) .. m(TEXT, "x"), { bye() } },
    { "half of a message before", m(1, "a") .. BYE .. m(FIN, "b"), { bye() } },
    { "one byte", m(CLOSE, "\3"), { failed(1002, "bad close code") } },
    { "with a reason", m(CLOSE, code(1000, "Hello")), { bye() } },
    { "reason of 123 bytes", m(CLOSE, code(1000, ("*"):rep(123))), { bye() } },
    { "reason of 124 bytes", m(CLOSE, code(1000, ("*"):rep(124))),
        { failed(1002, "control frame too large") } },
    { "reason no UTF-8", m(CLOSE, code(1000, bad)),
        { failed(1007, "close reason is no UTF-8") } },
}
for _, number in ipairs { 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012,
    1013, 1014, 3000, 3999, 4000, 4999 }
do
    closes[#closes + 1] = { number, m(CLOSE, code(number)), { bye(number) } }
end
for _, number in ipairs { 0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000,
    2999, 5000, 65535 }
do
    closes[#closes + 1] = { number, m(CLOSE, code(number)),
        { failed(1002, "bad close code") } }
end
group("7 closes", closes)

local long = ("0123456789abcdef"):rep(4096)
local parts = {}
for at = 1, #long, 4096 do
    parts[#parts + 1] = m((at == 1 and 2 or 0)
        + (at + 4096 > #long and FIN or 0), long:sub(at, at + 4095))
end
group("9 limits", {
    { "64 KiB", m(BINARY, long) .. BYE, { { BINARY, long }, bye() } },
    { "64 KiB in fragments", table.concat(parts) .. BYE,
        { { BINARY, long }, bye() } },
    { "one byte more", m(BINARY, ("x"):rep(66001)),
        { failed(1009, "message too large") } },
    { "one byte more, in the last fragment", m(2, ("x"):rep(66000))
        .. m(FIN, "x"), { failed(1009, "message too large") } },
    { "without a mask", sockets.frame(TEXT, "x"),
        { failed(1002, "frame without a mask") } },
})

-- What a server of these settings sends to a client that sends data.
local function talk(data, settings, piece)
    local ws, conn = sockets.open(settings)
    local echo = quoll.spawn(sockets.echo, ws)
    local writer = quoll.spawn(function()
        for at = 1, #data, piece do
            conn:send(data:sub(at, at + piece - 1))
            if piece == 1 then
                quoll.yield()
            end
        end
        conn:shutdown "send"
    end)
    local found = sockets.read_all(conn)
    writer:wait()
    echo:wait()
    conn:close()
    return found
end

local function run(list, settings)
    quoll.run(function()
        for _, case in ipairs(list) do
            local name, data, expected = unpack(case)
            assert.same(expected, talk(data, settings, 65536), name)
            if #data < 300 then
                assert.same(expected, talk(data, settings, 1), name)
            end
        end
    end)
end

describe("a WebSocket", function()
    helper.gates()

    for _, name in ipairs { "1", "2", "3", "4", "5", "6", "7", "9" } do
        local list = {}
        for _, case in ipairs(cases) do
            if case[1]:find("^" .. name .. " ")
                and not (helper.injected and #case[2] > 1000) then
                list[#list + 1] = case
            end
        end
        it("does what group " .. list[1][1]:match "^(.-)%." .. " asks",
            function()
                run(list, { max = 66000, send_timeout = pair.PATIENCE })
            end)
    end
end)

local set = deflate.check({ threshold = 0, context = true }, "spec")

local function compression(bits, reset)
    return deflate.new(set, { bits = bits, reset = reset, peer_bits = bits,
        peer_reset = reset })
end

describe("a WebSocket", function()
    helper.gates()

    it("does what groups 12 and 13, compression, ask", function()
        math.randomseed(12)
        quoll.run(function()
            for i = 1, 8 do
                local bits, reset = 8 + i % 8, i > 4
                local ours = compression(math.max(bits, 9), reset)
                local data, sent, expected = {}, {}, {}
                for j = 1, 6 do
                    data[j] = ("%d %d "):format(i, math.random(1000)):rep(
                        math.random(60))
                    sent[j] = m(TEXT + RSV1, ours:compress(data[j]))
                end
                local found = talk(table.concat(sent) .. BYE, { max = 10000,
                    deflate = compression(math.max(bits, 9), reset) }, 7)
                for j = 1, 6 do
                    assert.equal(TEXT + RSV1, found[j][1])
                    expected[j] = ours:inflate(found[j][2], 10000)
                end
                assert.same(data, expected)
                assert.same(bye(), found[7])
            end
        end)
    end)

    it("keeps to the rules of RSV1", function()
        local d = compression(15, true)
        local data = d:compress "Hello, Hello"
        local settings = { max = 1000, deflate = compression(15, true) }
        run({
            { "none", m(TEXT, "") .. BYE, { { TEXT, "" }, bye() } },
            { "in fragments", m(1 + RSV1, data:sub(1, 3)) .. m(PING)
                .. m(FIN, data:sub(4)) .. BYE,
                { { PONG, "" }, { TEXT + RSV1, data }, bye() } },
            { "of a continuation", m(1 + RSV1, data:sub(1, 3))
                .. m(FIN + RSV1, data:sub(4)),
                { failed(1002, "reserved bit set") } },
            { "with RSV2", m(TEXT + 0x60, data),
                { failed(1002, "reserved bit set") } },
            { "no deflate", m(TEXT + RSV1, "\255\255\255"),
                { failed(1007, "bad compressed data") } },
            { "a bomb", m(TEXT + RSV1, d:compress(("x"):rep(1001))),
                { failed(1009, "message too large") } },
            { "no UTF-8", m(TEXT + RSV1, d:compress "\255"),
                { failed(1007, "text is no UTF-8") } },
        }, settings)
        run({ { "not agreed on", m(TEXT + RSV1, data),
            { failed(1002, "reserved bit set") } } }, { max = 1000 })
    end)
end)
