-- tasks_acts.lua: what a task may do, at random, and what must hold then; for
-- spec/regress/tasks_fuzz_spec.lua.
local quoll = require "quoll"
local world = require "spec.support.tasks_world"
local sync, co = quoll.sync, quoll.coroutine
local upto, pick, check, brief = world.upto, world.pick, world.check,
    world.brief

local act, names = {}, {}
local steps

local function body(depth)
    return function()
        return steps(depth - 1, upto(4))
    end
end

-- What a scope may return or raise: results, or nil and how it was cut.
local function outcome(code, ok, ...)
    local n, err, why = select("#", ...), select(2, ...)
    if ok and (...) == nil and n == 3 then
        check(why == code or code == nil, "cut by " .. tostring(why)
            .. ", not " .. tostring(code))
        check(err == (code == "DEADLINE" and "timeout" or "cancelled"),
            "cut with " .. tostring(err))
    elseif not ok then
        local thrown = ...
        check(thrown == world.thrown or quoll.iscancelled(thrown),
            "raised " .. tostring(thrown))
        if upto(3) > 1 then
            error(thrown, 0)
        end
    end
    return ok, ...
end

function act.sleep()
    quoll.sleep(brief())
end

function act.yield()
    quoll.yield()
    if upto(20) == 1 then
        collectgarbage "step"
    end
end

function act.throw()
    if upto(8) == 1 then
        error(world.thrown, 0)
    end
end

function act.spawn(depth)
    local task = quoll.spawn(body(depth))
    world.tasks[upto(20)] = task
    if upto(6) == 1 then
        task:detach()
    end
end

function act.cancel()
    local task = world.tasks[upto(20)]
    if task and upto(4) == 1 then
        task:cancel "chance"
    end
end

function act.wait()
    local task = world.tasks[upto(20)]
    if task then
        local ok, err = pcall(task.wait, task, brief())
        if not ok and quoll.iscancelled(err) then error(err, 0) end
    end
end

function act.scope(depth)
    outcome("CANCELLED", pcall(quoll.scope, function(s)
        s:spawn(body(depth))
        if upto(3) == 1 then
            s:background(body(depth))
        end
        steps(depth - 1, 2)
        if upto(5) == 1 then
            s:cancel()
        end
    end))
end

function act.deadline(depth)
    local limit, start = brief(), quoll.now()
    local ok, _, _, code = outcome("DEADLINE",
        pcall(quoll.deadline, limit, body(depth)))
    check(not ok or code ~= "DEADLINE" or quoll.now() - start >= limit - 1e-4,
        "a deadline was early")
end

function act.shield(depth)
    outcome(false, pcall(quoll.shield, brief(), body(depth)))
end

function act.race(depth)
    local how = pick { "race", "any", "all" }
    local list = { body(depth), body(depth), body(depth) }
    outcome(nil, pcall(quoll[how], list))
end

function act.defer()
    local id = #world.deferred + 1
    world.deferred[id] = 0
    quoll.defer(function()
        world.deferred[id] = world.deferred[id] + 1
        if upto(4) == 1 then
            check(pcall(quoll.sleep, brief()), "a deferred call was cancelled")
        end
    end)
end

function act.locals()
    local id = quoll.locals.id
    quoll.locals.id = upto(100)
    local mine = quoll.locals.id
    quoll.yield()
    check(quoll.locals.id == mine, "locals of another task")
    quoll.locals.id = id
end

function act.send()
    local ch = pick(world.channels)
    local item = { ch = ch, n = ch.sent + 1 }
    ch.sent = item.n
    local ok, sent, _, code = pcall(ch.raw.send, ch.raw, item, brief())
    item.sent = ok and sent or false
    check(item.sent or not item.got, "received, and not sent")
    check(not ok or sent or code == "TIMEOUT", "send: " .. tostring(code))
    ch.kept = ch.kept + (item.sent and 1 or 0)
    if not ok then error(sent, 0) end
end

-- Only where one receives at a time it knows the order.
function act.receive()
    local ch = pick(world.channels)
    if ch.receiving then return end
    ch.receiving = ch.ordered
    local ok, item, _, code = pcall(ch.raw.receive, ch.raw, brief())
    ch.receiving = false
    if not ok then
        error(item, 0)
    elseif not item then
        return check(code == "TIMEOUT", "receive: " .. tostring(code))
    end
    check(item.ch == ch and not item.got, "received twice")
    check(item.sent ~= false, "received, and not sent")
    check(not ch.ordered or item.n > ch.last, "out of order")
    item.got, ch.last, ch.kept = true, item.n, ch.kept - 1
end

function act.select()
    local set = { task = world.tasks[upto(20)], event = world.event }
    for i, ch in ipairs(world.channels) do
        set[i] = ch.raw
    end
    local ok, key, err = pcall(sync.select, set, brief())
    if ok then
        check(set[key] or err == "timeout", "select: " .. tostring(err))
    elseif not tostring(key):find "cannot wait for itself" then
        error(key, 0)
    end
end

function act.event()
    if upto(2) == 1 then
        world.event:set()
        world.event:clear()
    else
        world.event:wait(brief())
    end
end

function act.semaphore()
    local k = upto(world.PERMITS)
    if world.semaphore:acquire(k, brief()) then
        world.permits = world.permits + k
        check(world.permits <= world.PERMITS, "more permits than there are")
        local ok, err = pcall(quoll.sleep, brief() / 2)
        world.permits = world.permits - k
        world.semaphore:release(k)
        if not ok then error(err, 0) end
    end
end

function act.mutex()
    local locked, abandoned = world.mutex:lock(brief())
    if not locked then return end
    check(abandoned or not world.held, "two hold the mutex")
    world.held = true
    local ok, err = pcall(quoll.sleep, brief() / 2)
    world.held = false
    world.mutex:unlock()
    if not ok then error(err, 0) end
end

function act.generate(depth)
    local n = upto(4)
    local made = co.wrap(function()
        for i = 1, n do
            steps(depth - 1, 1)
            co.yield(i)
        end
    end)
    for i = 1, n do
        if upto(8) == 1 then return end
        check(made() == i, "another generator's value")
    end
end

function act.send_bytes()
    local this = pick(world.ends)
    if this.writing then return end
    this.writing = true
    local text = this.bytes:rep(upto(20))
    local sent, _, partial = this.conn:send(text)
    this.writing = not sent -- a cut send breaks its direction
    check(not partial or partial <= #text, "more than was to be sent")
end

function act.receive_bytes()
    local this = pick(world.ends)
    if this.reading then return end
    this.reading = true
    local ok, data, err, partial = pcall(this.conn.receive, this.conn, upto(99))
    this.reading = false
    if not ok then error(data, 0) end
    check(data or err ~= "busy reading", "another one reads")
    check(not (data or partial):find("[^" .. this.peer.bytes .. "]"),
        "bytes of another end")
end

function act.handle()
    local task = quoll.spawn(function()
        local lst = assert(quoll.listen "127.0.0.1:0")
        quoll.sleep(brief() / 4)
        return lst
    end)
    local lst = task:wait()
    check(lst == nil or lst:address(), "a returned handle was closed")
end

-- Ended by force when it is cancelled, with the mutex if it has that.
function act.swallow()
    if upto(10) > 1 then return end
    world.tasks[upto(20)] = quoll.spawn(function()
        act.defer()
        local ok, got, abandoned = pcall(world.mutex.lock, world.mutex, 0)
        if ok and got then
            check(abandoned or not world.held, "two hold the mutex")
            world.held = true
        end
        for _ = 1, 1100 do
            pcall(quoll.yield)
        end
        if ok and got then
            world.held = false
            world.mutex:unlock()
        end
    end)
end

local DEEPER = {
    spawn = true, scope = true, race = true, deadline = true, shield = true,
    generate = true,
}

for name in pairs(act) do
    names[#names + 1] = name
end
table.sort(names)

-- n of them; depth of scopes, tasks and generators to come, at most.
function steps(depth, n)
    for _ = 1, n do
        local name = pick(names)
        if depth > 0 or not DEEPER[name] then
            act[name](depth)
        end
    end
    return upto(2) == 1
end

return steps
