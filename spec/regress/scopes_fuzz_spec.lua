-- Random trees of tasks, scopes, deadlines and shields that sleep, fail and
-- cancel each other, against a model of what each scope may give. Every task
-- started in a scope has ended when that is left; a result that tells of a
-- cancellation was caused; an error was thrown inside, unchanged; a shield
-- lets nothing in. QUOLL_TEST_SEED=n makes other choices.
local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local SEED = tonumber(os.getenv "QUOLL_TEST_SEED") or 20221123
local ENDED = { done = true, failed = true, cancelled = true }

-- Of the run: state of its choices, scopes that are open, what is wrong (a task
-- that fails is only logged), how often each outcome came.
local world

local function upto(n)
    world.state = (world.state * 16807) % 2147483647
    return world.state % n + 1
end

local function check(ok, text)
    if not ok then
        world.wrong = world.wrong or text
        error(text, 0)
    end
end

local body

-- A scope or task; `hidden` are those around it that a shield keeps out.
local function node(parent, shield)
    local this = { tasks = {}, thrown = {}, parent = parent, hidden = {} }
    for scope in pairs(parent and parent.hidden or {}) do
        this.hidden[scope] = true
    end
    while shield and parent do
        this.hidden[parent.scope or parent] = true
        parent = parent.parent
    end
    return this
end

local function checked(this, fn, ...)
    local result = { pcall(fn, ...) }
    local err = result[2]
    if not result[1] and quoll.iscancelled(err) then
        check(not this.hidden[err.scope or false], "through a shield")
    end
    return result
end

local function throw(this)
    local err = {}
    local at = this
    while at do -- it may be raised by each scope around it
        at.thrown[err] = true
        at = at.parent
    end
    error(err, 0)
end

local act = {}

function act.sleep(this)
    local result = checked(this, quoll.sleep, upto(4) / 2000)
    if not result[1] and upto(8) > 1 then -- else it is swallowed
        error(result[2], 0)
    end
end

function act.yield(this)
    act.sleep(this)
    quoll.yield()
end

function act.fail(this)
    if upto(4) == 1 then
        throw(this)
    end
end

function act.cancel()
    local scope = world.open[upto(#world.open + 1)]
    if scope then
        scope.cancelled = scope.scope:cancel() or scope.cancelled
    end
end

function act.spawn(this, depth)
    local child = node(this)
    local ready = this.explicit and upto(3) or 1
    local function run()
        body(child, depth - 1)
    end
    local task = ready == 2 and this.scope:spawn(run)
        or ready == 3 and this.scope:background(run) or quoll.spawn(run)
    child.scope = task
    local at = this
    while at do
        at.tasks[#at.tasks + 1] = task
        at = at.parent
    end
end

local function judge(this, kind, result)
    local ok, err, _, code = unpack(result, 1, 4)
    for _, task in ipairs(this.tasks) do
        check(ENDED[task:status()], kind .. " left a task " .. task:status())
    end
    local why = not ok and quoll.iscancelled(err)
    local outcome = kind .. " " .. (why and "raised a cancellation"
        or not ok and "raised" or code or "returned")
    world.outcomes[outcome] = (world.outcomes[outcome] or 0) + 1
    if not ok then
        check(why or this.thrown[err], "a foreign error")
        error(err, 0)
    end
    check(code == nil and err == this
        or code == "DEADLINE" and kind == "deadline"
        or code == "CANCELLED" and this.cancelled, "a foreign result")
end

local function opened(kind, open)
    act[kind] = function(this, depth)
        local inner = node(this, kind == "shield")
        judge(inner, kind, checked(inner, open, inner, function(scope)
            body(inner, depth - 1, kind == "scope" and scope or nil)
            return inner
        end))
    end
end

opened("scope", function(_, fn) return quoll.scope(fn) end)
opened("deadline", function(_, fn)
    return quoll.deadline(upto(6) / 2000, fn)
end)
opened("shield", function(_, fn) return quoll.shield(nil, fn) end)

local names = { "cancel", "deadline", "fail", "scope", "shield", "sleep",
    "sleep", "spawn", "spawn", "yield" }

function body(this, depth, scope)
    this.scope, this.explicit = scope or this.scope, scope ~= nil
    local at = scope and #world.open + 1
    if at then
        world.open[at] = this
    end
    for _ = 1, upto(5) do
        local name = names[upto(#names)]
        if depth > 0 or name == "sleep" or name == "yield" then
            act[name](this, depth)
        end
    end
end

local function fuzz(seed, outcomes)
    world = { state = seed % 2147483646 + 1, open = {}, outcomes = outcomes }
    for _ = 1, 20 do
        local top = node()
        pcall(judge, top, "scope", { pcall(quoll.scope, function(s)
            body(top, 5, s)
            return top
        end) })
        assert.is_nil(world.wrong)
        world.open = {}
    end
end

describe("scopes at random", function()
    helper.gates()
    helper.silent()

    local outcomes = {}

    for seed = SEED, SEED + (helper.collecting and 1 or 9) do
        it("agree with the model, seed " .. seed, function()
            tasks.run(function() fuzz(seed, outcomes) end, 60)
        end)
    end

    it("agree with the model in the main chunk", function()
        fuzz(SEED + 100, outcomes)
    end)

    it("came to every outcome", function()
        for _, outcome in ipairs {
            "scope returned", "scope raised", "scope CANCELLED",
            "scope raised a cancellation", "deadline returned",
            "deadline raised", "deadline DEADLINE",
            "deadline raised a cancellation", "shield returned",
            "shield raised",
        } do
            assert.is_truthy(outcomes[outcome], outcome)
        end
    end)
end)
