-- Tasks that do at random whatever the API offers, against a model: what one
-- end receives is what the other has sent, every wait ends, nothing is left.
-- QUOLL_TEST_SEED=n makes other choices.
local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local SEED = tonumber(os.getenv "QUOLL_TEST_SEED") or 20221122
local PERIOD = 4099 -- of the bytes of a stream
local LARGE = helper.injected and 2000 or 200000 -- more than buffers take
local random = {} -- of its own: math.random belongs to everybody
random.__index = random

function random:upto(n)
    self.state = (self.state * 16807) % 2147483647
    return self.state % n + 1
end

function random:pick(list)
    return list[self:upto(#list)]
end

local period = {}
for i = 1, PERIOD do
    period[i] = ("ab\nc"):sub(i * i % 31 % 4 + 1):sub(1, 1)
end
local bytes = table.concat(period)

-- n bytes of a stream from a position on; an end knows the stream that it
-- writes by `out` and its position there by `sent`.
local function piece(stream, position, n)
    local start = (stream + position) % PERIOD
    return bytes:rep(math.ceil((start + n) / PERIOD)):sub(start + 1, start + n)
end

local reads = {
    function(conn, n) return conn:receive(n) end,
    function(conn, n) return conn:receiveany(n) end,
    function(conn)
        local line, err, partial = conn:receive "*l"
        return line and line .. "\n", err, partial
    end,
    function(conn)
        return conn:receiveuntil("b\nc", { inclusive = true })()
    end,
}

local act = {}

function act.open(world)
    local at = #world.ends < 8 and #world.ends + 1 or world.random:upto(8)
    local listener = assert(quoll.listen "127.0.0.1:0"):disown()
    local client = quoll.connect(listener:address(), { timeout = 1 })
    local server = client and listener:accept(1)
    listener:close()
    if server then -- with little room, so that sends have to wait
        client:setoption("sndbuf", 4096)
        server:setoption("sndbuf", 4096)
        local a = { conn = client:disown(), out = 3, sent = 0, got = 0 }
        local b = { conn = server:disown(), out = 5, sent = 0, got = 0 }
        a.peer, b.peer = b, a
        world.ends[at], world.ends[at + 1] = a, b
    end
end

function act.send(world, this)
    if this.writing then return end
    local n, was = world.random:upto(LARGE), this.sent
    this.conn:settimeouts(0.05, world.random:upto(20) / 1000)
    this.writing, this.sent = true, was + n -- at most, while it waits
    local sent, _, partial = this.conn:send {
        piece(this.out, was, n - 1), piece(this.out, was + n - 1, 1) }
    this.sent = was + (sent or partial)
    this.writing = not sent -- for ever, when it failed or is cancelled
end

function act.receive(world, this)
    if this.reading then return end
    this.conn:settimeouts(0.05, world.random:upto(20) / 1000)
    this.reading = true
    local data, _, partial = world.random:pick(reads)(this.conn,
        world.random:upto(LARGE / 4))
    this.reading = false
    data = data or partial
    assert.is_true(data == piece(this.peer.out, this.got, #data))
    this.got = this.got + #data
end

function act.close(world, this)
    if world.random:upto(4) == 1 then
        this.conn:close()
    elseif world.random:upto(4) == 1 then
        this.conn:shutdown "send"
    end
end

function act.read(world)
    local n, offset = world.random:upto(20000), world.random:upto(90000)
    assert.is_true(world.file:pread(n, offset) == piece(0, offset, n))
end

function act.spawn(world)
    world.tasks[#world.tasks + 1] = quoll.spawn(world.work, 5)
end

function act.cancel(world)
    if world.tasks[1] then world.random:pick(world.tasks):cancel() end
end

function act.rest(world)
    quoll.sleep(world.random:upto(3) / 1000)
    collectgarbage "step"
end

local function fuzz(seed)
    local world = { ends = {}, tasks = {} }
    world.random = setmetatable({ state = seed % 2147483646 + 1 }, random)
    local names = { "open", "close", "read", "spawn", "cancel", "rest", "send",
        "receive", "receive", "send", "receive", "receive" }
    function world.work(n)
        for _ = 1, n do
            act[world.random:pick(names)](world, world.random:pick(world.ends))
        end
    end
    local path = tasks.file(piece(0, 0, 120000))
    world.file = quoll.open(path, seed % 2 == 0 and "rd" or "r")
    os.remove(path)
    for _ = 1, 4 do act.open(world) end
    local workers = {}
    for i = 1, 20 do
        workers[i] = quoll.spawn(world.work, 40)
    end
    for _, worker in ipairs(workers) do
        worker:wait()
    end
    for _, task in ipairs(world.tasks) do
        task:wait()
    end
    world.file:close()
end

describe("many tasks that act at random", function()
    helper.gates()

    for seed = SEED, SEED + (helper.collecting and 0 or 4) do
        it("agree with the model, seed " .. seed, function()
            tasks.run(function() fuzz(seed) end, 20)
        end)
    end
end)
