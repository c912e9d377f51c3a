-- http_world.lua: what the clients and handlers of spec/regress/
-- http_fuzz_spec.lua share: their choices, and plans. A plan is one request:
-- what is sent, which handler it gets (by its path), and, once that has run,
-- what is to be answered. The module is the world; reset(seed) makes it anew.
local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local PERIOD = 4099
local world = { LARGE = helper.injected and 2000 or 70000 }

local period = {}
for i = 1, PERIOD do
    period[i] = ("ab\r\n0"):sub(i * i % 31 % 5 + 1):sub(1, 1)
end
local bytes = table.concat(period):rep(math.ceil(world.LARGE / PERIOD) + 2)

function world.upto(n)
    world.state = world.state * 16807 % 2147483647
    return world.state % n + 1
end

function world.pick(list)
    return list[world.upto(#list)]
end

function world.piece(n)
    local from = world.upto(PERIOD)
    return bytes:sub(from, from + n - 1), from - 1
end

-- What is wrong is kept: handlers' errors are answered, and many.
function world.check(ok, text, ...)
    if not ok then
        world.wrong = world.wrong or debug.traceback(text:format(...))
        error(world.wrong, 0)
    end
end

function world.size()
    return world.pick { 0, 1, world.upto(100), world.upto(5000),
        world.upto(5000), world.upto(world.LARGE) }
end

local function chunks(body)
    local list, at = {}, 1
    while at <= #body do
        local n = world.upto(world.pick { 10, 1000, world.LARGE })
        local piece = body:sub(at, at + n - 1)
        list[#list + 1] = ("%x%s\r\n%s\r\n"):format(#piece,
            world.pick { "", ";a=b" }, piece)
        at = at + n
    end
    return table.concat(list)
end

-- Adds a body to the head, in one of the ways.
local function add_body(plan, head)
    local how = world.upto(6)
    if how <= 2 then
        plan.body = ""
        return ""
    end
    plan.body = world.piece(world.size())
    if world.upto(6) == 1 then
        plan.expect = true
        head[#head + 1] = "Expect: 100-continue"
    end
    if how <= 4 or plan.old then
        head[#head + 1] = "Content-Length: " .. #plan.body
        return plan.body
    end
    head[#head + 1] = "Transfer-Encoding: chunked"
    if world.upto(12) == 1 then
        plan.spoiled = true
        return chunks(plan.body) .. "no chunk\r\n"
    end
    plan.trailer = how == 6 and tostring(plan.id) or nil
    return chunks(plan.body) .. "0\r\n"
        .. (plan.trailer and "X-Trailer: " .. plan.trailer .. "\r\n" or "")
        .. "\r\n"
end

-- A request for one of the handlers.
function world.request(acts, last)
    local id = #world.plans + 1
    local plan = { id = id, act = world.pick(acts), deferred = 0, children = 0,
        method = world.pick { "GET", "GET", "HEAD", "POST", "PUT" },
        old = last and world.upto(8) == 1 }
    world.plans[id] = plan
    local head = { ("%s /%d HTTP/1.%d"):format(plan.method, id,
        plan.old and 0 or 1), "Host: localhost", "X-Act: " .. plan.act }
    local body = add_body(plan, head)
    if last and not plan.old then
        head[#head + 1] = "Connection: close"
    end
    plan.text = table.concat(head, "\r\n") .. "\r\n\r\n" .. body
    return plan
end

local refused = {
    "GET / HTTP/1.1\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "G\0T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/7.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
        .. "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET /" .. ("x"):rep(9000) .. " HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nA: " .. ("x"):rep(40000) .. "\r\n\r\n",
}

-- One that no handler gets.
function world.bad_request()
    return { bad = true, text = world.pick(refused), method = "GET",
        deferred = 0, children = 0 }
end

function world.reset(seed)
    world.state, world.wrong, world.plans = seed % 2147483646 + 1, nil, {}
    world.stopping = false
    world.path = tasks.file(bytes)
end

-- A file with the bytes that piece() is of, open in this task.
function world.open()
    return assert(quoll.open(world.path))
end

return world
