-- http_acts.lua: the handlers of spec/regress/http_fuzz_spec.lua, by name:
-- act.name(plan, req). Each notes in its plan what is to be answered: status,
-- body; cut: the body does not come to its end; ends: the connection ends
-- behind it; silent: there may be no answer.
local world = require "spec.support.http_world"
local quoll = require "quoll"
local check, pick, upto = world.check, world.pick, world.upto
local buffers, string_buffer = pcall(require, "string.buffer")

local act = {}

local function told(plan, status, body, ...)
    plan.status, plan.body_told = status, body
    return status, ...
end

local function some()
    return (world.piece(world.size()))
end

function act.text(plan)
    local body = some()
    told(plan, 200, body)
    return body
end

function act.status(plan)
    local body = some()
    return told(plan, 404, body, body, { ["X-Plan"] = plan.id })
end

function act.bodyless(plan)
    return told(plan, pick { 204, 304 }, "")
end

function act.list(plan)
    local a, b = some(), some()
    return told(plan, 200, a .. b .. 7, { a, { b, "" }, 7 })
end

function act.file(plan)
    local body, from = world.piece(world.size())
    return told(plan, 200, "<" .. body .. ">",
        { "<", quoll.http.part(world.open(), from, #body), ">" })
end

function act.buffer(plan)
    local body = some()
    return told(plan, 200, body,
        buffers and string_buffer.new():put(body) or body)
end

-- body, piece by piece, in its own time.
local function puller(body, failing)
    local at = 1
    return function()
        if upto(4) == 1 then
            quoll.sleep(upto(3) / 1000)
        end
        if at > #body then
            if failing then
                error(failing)
            end
            return nil
        end
        local n = upto(pick { 10, 3000, world.LARGE })
        local piece = body:sub(at, at + n - 1)
        at = at + n
        return piece
    end
end

function act.pull(plan)
    local body = some()
    return told(plan, 200, body, puller(body))
end

function act.pull_fails(plan)
    local body = some()
    plan.cut, plan.ends = true, true
    return told(plan, 200, body, puller(body, "half way"))
end

function act.raise(plan)
    told(plan, 500)
    error "raised"
end

function act.nothing(plan)
    told(plan, 500)
end

function act.wrong(plan)
    return told(plan, 500, nil, pick { print, 1, true } == print
        and coroutine.create(print) or true)
end

function act.sleep(plan)
    quoll.sleep(upto(5) / 1000)
    return act.text(plan)
end

function act.hurry(plan)
    local slow, limit = upto(4) / 1000, upto(3) / 1000
    if not quoll.deadline(limit, function() quoll.sleep(slow) return true end)
    then
        return told(plan, 503, "late", "late")
    end
    return act.text(plan)
end

-- The body as it was sent, or its failure.
local function whole(plan, req)
    local body, err, code = req:body(world.LARGE)
    check(body == nil or body == plan.body and not plan.spoiled,
        "%s: another body, %s", plan.act, tostring(body and #body))
    check(body or code ~= "EBADMSG" or plan.spoiled or plan.left,
        "a good body is none: %s", tostring(err))
    plan.failed = not body
    if body then
        check(req:trailers()["x-trailer"] == plan.trailer, "other trailers")
    end
    return body
end

function act.read(plan, req)
    local body = whole(plan, req)
    if not body then
        plan.ends = true
        return told(plan, 400, "no body", "no body")
    end
    return told(plan, 200, body, body)
end

function act.read_part(plan, req)
    local got = ""
    local status = told(plan, 400)
    for piece in req:chunks(upto(500)) do
        got = got .. piece
        if upto(3) == 1 then break end
    end
    check(got == plan.body:sub(1, #got), "other bytes of a body")
    return told(plan, status and 200, got, got)
end

function act.echo(plan, req)
    plan.cut, plan.ends = plan.spoiled, plan.spoiled
    plan.may_cut = true
    return told(plan, 200, plan.body, req:chunks())
end

local function child(plan)
    plan.children = plan.children + 1
    quoll.defer(function() plan.children = plan.children - 1 end)
    quoll.sleep(upto(3) / 1000)
end

function act.spawn(plan)
    for _ = 1, upto(3) do
        quoll.spawn(child, plan):wait(pick { 0, 0.001, 1 })
    end
    return act.text(plan)
end

function act.leave_open(plan)
    world.open()
    quoll.timer.after(upto(3) / 1000, function() end)
    return act.text(plan)
end

function act.cancel(plan)
    pcall(quoll.scope, function(scope)
        scope:spawn(quoll.sleep, 1)
        scope:cancel()
        quoll.sleep(1)
    end)
    return act.text(plan)
end

-- What has come behind it is read by nobody; our end comes before theirs.
function act.hijack(plan, req)
    local body = some()
    local conn = assert(req:hijack())
    plan.ends, plan.silent = true, true
    told(plan, 200, body)
    conn:settimeout(5)
    conn:send { "HTTP/1.1 200 OK\r\nContent-Length: ", #body, "\r\n\r\n",
        plan.method == "HEAD" and "" or body }
    conn:shutdown "send"
    conn:receive "*a"
end

function act.collect(plan)
    collectgarbage(pick { "step", "collect" })
    return act.text(plan)
end

return act
