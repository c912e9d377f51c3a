-- Tasks that do at random whatever can be done to connections of all kinds,
-- against a model: what one end gets is what the other one has sent, nothing
-- twice, nothing missing unless that direction was broken and said so; every
-- wait ends; nothing is left.
-- QUOLL_TEST_SEED=n makes other choices, QUOLL_TEST_SEEDS=n more of them.
local helper = require "spec.helper"
local act = require "spec.support.net_acts"
local tasks = require "spec.support.tasks"
local world = require "spec.support.net_world"
local quoll = require "quoll"
local check = world.check

local SEED = tonumber(os.getenv "QUOLL_TEST_SEED") or 20221125
local SEEDS = tonumber(os.getenv "QUOLL_TEST_SEEDS")
    or helper.collecting and 1 or 3

local names = { "open", "cork", "uncork", "close", "shutdown", "keep",
    "starttls", "spawn", "cancel", "hurry", "rest", "datagrams", "peek",
    "receivefd" }
for _ = 1, 7 do
    names[#names + 1] = "send"
    names[#names + 1] = "receive"
end

function world.work(n)
    for _ = 1, n do
        local this = world.pick(world.ends)
        if not this.parked then
            act[world.pick(names)](this)
        end
    end
end

-- The rest of what an end has sent.
local function finish(this)
    local peer = this.peer
    if this.parked or peer.parked or this.closed or peer.closed then return end
    this.conn:settimeout(helper.seconds(5))
    local sender = quoll.spawn(function()
        if not this.conn:send "" then -- with what was gathered
            this.exact = this.exact and not this.corked
        end
        this.conn:uncork()
        if this.kind == "process" then
            this.conn:close()
        else
            this.conn:shutdown "send"
        end
    end)
    peer.conn:settimeout(helper.seconds(5))
    local data, err, partial, code = peer.conn:receive "*a"
    data = data or partial
    local want = world.piece(this.out, peer.got, #data)
    check(data == want, "other bytes at the end")
    peer.got = peer.got + #data
    check(code ~= "TIMEOUT", "no end of the stream")
    sender:wait() -- knows whether what was gathered has gone out
    if this.exact then
        local most = math.max(this.sent, this.unsure or 0)
        check(peer.got >= this.sent and peer.got <= most,
            "%s: got %d of %d to %d bytes: %s", this.tls or this.kind, peer.got,
            this.sent, most, tostring(err))
    end
end

local function fuzz(seed)
    world.reset(seed)
    for _, kind in ipairs { "tcp", "unix", "tls12", "tls13" } do
        world.open(kind)
    end
    world.start()
    local workers = {}
    for i = 1, 16 do
        workers[i] = quoll.spawn(world.work, 30)
    end
    for _, worker in ipairs(workers) do
        worker:wait()
    end
    for _, task in ipairs(world.tasks) do
        task:wait()
    end
    for _, this in ipairs(world.all) do
        if this.kind ~= "process" or this.sent > 0 then
            pcall(finish, this)
        end
    end
    for _, this in ipairs(world.all) do
        this.conn:close()
    end
    for _, listener in pairs(world.listeners) do
        listener:close()
    end
    world.file:close()
    if world.wrong then
        error(world.wrong, 0)
    end
end

describe("connections of all kinds, acted on at random,", function()
    helper.gates()
    helper.silent()

    for seed = SEED, SEED + SEEDS - 1 do
        it("agree with the model, seed " .. seed, function()
            tasks.run(function() fuzz(seed) end, 30)
        end)
    end
end)
