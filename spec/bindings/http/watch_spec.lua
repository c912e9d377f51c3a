local helper = require "spec.helper"
local http = require "spec.support.http"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local GET = "GET /%s HTTP/1.1\nHost: a\n\n"

-- A handler that waits until it is cancelled, which sets the event.
local function waiting()
    local asked, cut = quoll.sync.event(), quoll.sync.event()
    return function()
        asked:set()
        local ok, err = pcall(quoll.sleep, 60)
        if not ok and quoll.iscancelled(err) then
            cut:set()
        end
        error(err, 0)
    end, asked, cut
end

describe("bindings/http/watch", function()
    helper.gates()

    for how, leave in pairs {
        ["closes"] = function(conn) conn:close() end,
        ["resets"] = pair.reset,
        ["sends its end"] = function(conn) conn:shutdown "send" end,
    } do
        it("cancels the handler of a client that " .. how, function()
            local handler, asked, cut = waiting()
            http.run(handler, nil, function(connect)
                local left = quoll.http.stats().left
                local c = connect()
                c:say(GET:format "")
                assert(asked:wait(http.PATIENCE))
                leave(c.conn)
                assert(cut:wait(http.PATIENCE))
                assert.equal(left + 1, quoll.http.stats().left)
            end)
        end)
    end

    it("does so on a connection that has been used before", function()
        local wait, asked, cut = waiting()
        http.run(function(req)
            return req.path == "/wait" and wait() or "x"
        end, nil, function(connect)
            local c = connect()
            c:say(GET:format "")
            c:hear()
            c:say(GET:format "wait" .. GET:format "unread")
            assert(asked:wait(http.PATIENCE))
            c:say(GET:format "more")
            quoll.sleep(0)
            c.conn:close()
            assert(cut:wait(http.PATIENCE))
        end)
    end)

    it("sees an end that came with the request", function()
        local handler, _, cut = waiting()
        http.run(handler, nil, function(connect)
            local c = connect()
            c.conn:cork()
            c:say(GET:format "")
            c.conn:uncork()
            c.conn:shutdown "send"
            assert(cut:wait(http.PATIENCE))
        end)
    end)

    it("spares a client that may still read", http.with(function()
        quoll.sleep(0.02)
        return "answer"
    end, { half_open = true }, function(connect)
        local c = connect()
        c:say(GET:format "")
        c.conn:shutdown "send"
        assert.equal("answer", c:hear().body)
    end))

    it("cancels a body that is being made", function()
        local closed = quoll.sync.event()
        local body = setmetatable({ close = function() closed:set() end },
            { __call = function() quoll.sleep(60) end })
        http.run(function() return 200, body end, nil, function(connect)
            local c = connect()
            c:say(GET:format "")
            assert.truthy(c.conn:receiveuntil "\r\n\r\n"():find "chunked")
            c.conn:close()
            assert(closed:wait(http.PATIENCE))
        end)
    end)
end)
