-- http_raw.lua: bytes to quoll.http's server, or to its client, and what comes
-- back.
local helper = require "spec.helper"
local message = require "spec.support.http_message"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local raw = {}

-- The answers in a text: { head=, status=, fields=, body=, error=, ... }.
-- methods: of the requests, where one is HEAD.
local function answers(text, methods)
    local list = {}
    while text ~= "" do
        local found = message.parse("response", text,
            { bodyless = methods and methods[#list + 1] == "HEAD" })
        found.head = text:sub(1, found.size)
        list[#list + 1] = found
        text = found.rest or ""
    end
    return list
end

local function listen(opts)
    opts.listener = assert(quoll.listen "127.0.0.1:0")
    opts.server = quoll.spawn(quoll.http.serve, opts.listener, opts.handler,
        opts.serve)
end

-- Sends the text, or each of several pieces once the one before has left.
local function send(conn, text)
    for _, piece in ipairs(type(text) == "table" and text or { text }) do
        if not conn:send(piece) then
            return -- it has been refused already
        end
        quoll.yield()
    end
end

local function exchange(listener, text, cut)
    local conn = assert(quoll.connect(listener:address(),
        { timeout = pair.PATIENCE }))
    conn:settimeout(pair.PATIENCE)
    send(conn, text)
    if cut then
        conn:shutdown "send"
    end
    local back, err, partial = conn:receive "*a"
    assert(back or err ~= "timeout", "the connection was not closed")
    conn:close()
    return back or partial
end

local function note(seen, handler)
    return function(req)
        seen[#seen + 1] = { method = req.method, target = req.target,
            path = req.path, host = req.host, version = req.version,
            req = req }
        if handler then
            return handler(req, seen[#seen])
        end
        return "ok"
    end
end

-- Runs fn(ask) beside a server: ask(text[, opts]) sends it, reads until the
-- server closes the connection, and returns the answers and what the handler
-- was given. opts: methods, cut (send our end behind it).
function raw.serving(handler, opts, fn)
    quoll.run(function()
        local seen = {}
        local world = { handler = note(seen, handler), serve = opts }
        listen(world)
        local ok, err = xpcall(quoll.deadline, debug.traceback,
            helper.seconds(20), fn, function(text, how)
                for i = #seen, 1, -1 do
                    seen[i] = nil
                end
                how = how or {}
                local back = exchange(world.listener, text, how.cut)
                return answers(back, how.methods), seen, back
            end)
        world.listener:close()
        world.server:cancel()
        world.server:wait()
        assert(ok, err)
    end)
end

-- A body for `it`.
function raw.server(handler, opts, fn)
    return function()
        raw.serving(handler, opts, fn)
    end
end

return raw
