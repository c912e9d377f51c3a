-- A server and clients that do at random whatever can be done over HTTP/1,
-- against a model: each answer is well-framed, is the one to the request of
-- its place, and has the body that its handler has given; where nobody has cut
-- anything, there is one to each request; nothing is left.
-- QUOLL_TEST_SEED=n makes other choices, QUOLL_TEST_SEEDS=n more of them.
local act = require "spec.support.http_acts"
local helper = require "spec.helper"
local message = require "spec.support.http_message"
local pair = require "spec.support.pair"
local tasks = require "spec.support.tasks"
local tls_pair = require "spec.support.tls_pair"
local world = require "spec.support.http_world"
local quoll = require "quoll"
local check, pick, upto = world.check, world.pick, world.upto

local SEED = tonumber(os.getenv "QUOLL_TEST_SEED") or 20261123
local SEEDS = tonumber(os.getenv "QUOLL_TEST_SEEDS")
    or (helper.collecting or helper.injected) and 2 or 6
local CLIENTS, CONNECTIONS = 10, 4

local acts = {}
for name in pairs(act) do
    acts[#acts + 1] = name
end
table.sort(acts)

-- ------------------------------------------------------------ server ----

local function handler(req)
    local plan = world.plans[tonumber(req.path:match "^/(%d+)$")]
    check(plan and not plan.called, "a request that is none")
    plan.called = true
    check(req.method == plan.method and req:header "x-act" == plan.act,
        "another head")
    local before = plan.before
    check(not before or before.deferred + before.children == 0,
        "%s: the request before has left something", before and before.act)
    for _ = 1, upto(3) - 1 do
        plan.deferred = plan.deferred + 1
        quoll.defer(function() plan.deferred = plan.deferred - 1 end)
    end
    return act[plan.act](plan, req)
end

local function options()
    return {
        tls = upto(4) == 1 and tls_pair.server() or nil,
        timeout = upto(4) == 1 and upto(20) / 1000 or nil,
        half_open = upto(3) == 1 or nil,
        idle_timeout = upto(3) == 1 and upto(5) / 1000 or nil,
        requests = upto(3) == 1 and upto(4) or nil,
        body_max = upto(4) == 1 and 3000 or nil,
        log = upto(2) == 1 and { record = function() end } or nil,
        onerror = function() end,
    }
end

-- ----------------------------------------------------------- clients ----

-- Whether nothing but its handler decides how a request is answered.
local function undisturbed(how)
    local opts = world.opts
    return how.cut == "whole" and not opts.timeout and not opts.idle_timeout
        and not opts.requests and not opts.body_max
end

local function check_refused(plan, found)
    check(found.status and found.status >= 400, "refused as %s: %q",
        tostring(found.status), plan.text:sub(1, 80))
end

-- Where two texts differ first.
local function differ(a, b)
    local at = 1
    while a:byte(at) == b:byte(at) and at <= #a do
        at = at + 1
    end
    return at
end

local LATE = { [408] = true, [413] = true, [503] = true }

local function check_told(plan, found, how)
    local opts = world.opts
    if found.status ~= plan.status and found.status then
        local by_server = LATE[found.status]
            and (opts.timeout or opts.body_max)
            or found.status == 400 and (plan.spoiled or how.cut ~= "whole")
        check(by_server, "%s %d: answered %d for %s", plan.act, plan.id,
            found.status, tostring(plan.status))
        return
    end
    local body, want = found.body or "", plan.body_told
    if plan.method == "HEAD" then
        want = ""
    end
    if found.error or found.more then
        check(not want or want:sub(1, #body) == body, "%s: other bytes",
            plan.act)
        check(how.cut ~= "whole" or plan.cut or plan.may_cut or opts.timeout
            or world.stopping, "%s %d: cut short", plan.act, plan.id)
    elseif want then
        check(not plan.cut or plan.method == "HEAD" or plan.old,
            "%s: what was cut short is whole", plan.act)
        check(body == want or plan.old and want:sub(1, #body) == body,
            "%s %d: a body of %d bytes for %d, other ones from %d", plan.act,
            plan.id, #body, #want, differ(body, want))
    end
end

-- Skips a 100 (Continue).
local function next_answer(text, plan)
    local found
    repeat
        found = message.parse("response", text,
            { bodyless = plan.method == "HEAD" })
        if found.error and not (found.why == "cut" or found.size) then
            check(false, "%s: %s, %q", tostring(plan.act), found.why,
                text:sub(1, 200))
        end
        text = found.rest or ""
    until found.status ~= 100 or text == ""
    return found, text
end

local function check_answers(plans, text, how)
    local n = 0
    while text ~= "" do
        n = n + 1
        local plan = plans[n]
        check(plan, "an answer to nothing: %q", text:sub(1, 200))
        local found
        found, text = next_answer(text, plan)
        check(text == "" or not found.error, "bytes that are no answer")
        if plan.bad then
            check_refused(plan, found)
        elseif found.status ~= 100 then
            check_told(plan, found, how)
        end
    end
    if not undisturbed(how) or world.stopping then return end
    for i, plan in ipairs(plans) do
        if plan.ends or plan.spoiled or plan.expect
            or #(plan.body or "") > 5000 then
            return
        end
        check(i <= n, "%s %s: no answer", tostring(plan.act),
            tostring(plan.id))
    end
end

local function leave(conn, plans, cut)
    for _, plan in ipairs(plans) do
        plan.left = true
    end
    if cut == "reset" then
        pair.reset(conn)
    elseif cut == "close" then
        conn:close()
    else
        conn:shutdown "send"
    end
end

-- Sends as much as is to be sent, and leaves.
local function send(conn, text, plans, how)
    local at, last = 1, how.cut == "whole" and #text or upto(#text)
    local most = pick { 1 + math.floor(#text / 30), #text }
    while at <= last do
        local n = math.min(upto(most), last - at + 1)
        if not conn:send(text:sub(at, at + n - 1)) then return end
        at = at + n
        if upto(3) == 1 then
            quoll.sleep(upto(2) / 1000)
        else
            quoll.yield()
        end
    end
    if how.cut ~= "whole" then
        leave(conn, plans, how.cut)
    end
end

local function requests()
    local plans, text = {}, {}
    local n = upto(6)
    for i = 1, n do
        local plan = i == n and upto(3) == 1 and world.bad_request()
            or world.request(acts, i == n)
        plan.before = not plan.bad and plans[i - 1] or nil
        plans[i], text[i] = plan, plan.text
    end
    return plans, table.concat(text)
end

local function client_tls()
    local context = tls_pair.client()
    context.timeout, context.server_name = nil, nil
    return { context = assert(quoll.tls.context(context)),
        server_name = "localhost" }
end

-- What is shown when something is wrong.
local function shown(plans, how)
    local list = { how.cut }
    for name, value in pairs(world.opts) do
        list[#list + 1] = name .. "=" .. tostring(value)
    end
    for _, plan in ipairs(plans) do
        list[#list + 1] = ("%s %s%s %s"):format(plan.method,
            plan.act or "refused", plan.spoiled and " spoiled" or "",
            plan.body and #plan.body or 0)
    end
    return table.concat(list, ", ")
end

local function talk(address)
    local conn = quoll.connect(address, { timeout = pair.PATIENCE,
        tls = world.opts.tls and client_tls() })
    if not conn then return end -- it stops already
    conn:settimeout(helper.seconds(5))
    local plans, text = requests()
    local how = { cut = pick { "whole", "whole", "whole", "shutdown", "close",
        "reset" } }
    local sender = quoll.spawn(send, conn, text, plans, how)
    local data, err, partial = conn:receive "*a"
    check(data or err ~= "timeout", "no end: %s\n%s",
        shown(plans, how), partial)
    if not data then
        how.cut = how.cut == "whole" and "broken" or how.cut
    end
    sender:wait()
    conn:close()
    check_answers(plans, data or partial or "", how)
end

local function client(address)
    for _ = 1, CONNECTIONS do
        talk(address)
    end
end

-- ------------------------------------------------------------- rounds ----

local function fuzz(seed)
    world.reset(seed)
    world.opts = options()
    local listener = assert(quoll.listen "127.0.0.1:0")
    local address = listener:address()
    local server = quoll.spawn(quoll.http.serve, listener, handler, world.opts)
    local clients = {}
    for i = 1, CLIENTS do
        clients[i] = quoll.spawn(client, address)
    end
    if upto(3) == 1 then
        quoll.sleep(upto(100) / 1000)
        world.stopping = true
        if upto(2) == 1 then
            quoll.stop(pair.PATIENCE)
        else
            listener:close()
            server:cancel()
        end
    end
    for _, task in ipairs(clients) do
        task:wait()
    end
    listener:close()
    server:cancel()
    server:wait()
    os.remove(world.path)
    for _, plan in ipairs(world.plans) do
        check(plan.deferred + plan.children == 0,
            "%s: has left something", plan.act)
    end
    if world.wrong then
        error(world.wrong, 0)
    end
end

describe("an HTTP server, of which everything is asked at random,", function()
    helper.gates()
    helper.silent()

    for seed = SEED, SEED + SEEDS - 1 do
        it("agrees with the model, seed " .. seed, function()
            tasks.run(function() fuzz(seed) end, 30)
        end)
    end
end)
