local helper = require "spec.helper"
local http = require "spec.support.http"
local http2 = require "spec.support.http2"
local quoll = require "quoll"

describe("lua/http/http2/stream", function()
    helper.gates()

    it("writes as fast as its client reads", function()
        local n = 0
        http.run(function()
            return 200, function()
                n = n + 1
                return n <= 40 and ("x"):rep(10000) or nil
            end
        end, nil, function(connect)
            local c = http2.client(connect().conn, http2.window(1000))
            c:say(http2.get(1, "/"))
            c:read(function()
                return c.answers[1] and #c.answers[1].body == 1000
            end)
            -- 64 KiB are queued, and the piece that was over that.
            assert.truthy(n <= 8, n)
            c:say(
                http2.frame(http2.WINDOW_UPDATE, 0, 1, http2.number(1e6, 4)),
                http2.frame(http2.WINDOW_UPDATE, 0, 0, http2.number(1e6, 4)))
            assert.equal(400000, #c:hear(1).body)
            c.conn:close()
        end)
    end)

    it("keeps what is read to what the window allows", function()
        local go, got = quoll.sync.event(), nil
        http.run(function(req)
            go:wait()
            got = { req:body(1e6) }
            return "x"
        end, nil, function(connect)
            local c = http2.client(connect().conn)
            c:await(http2.SETTINGS)
            c:say(http2.post(1, "/"),
                http2.frame(http2.DATA, 0, 1, ("x"):rep(16384)):rep(4))
            go:set()
            c:read(function()
                for _, f in ipairs(http2.only(http2.WINDOW_UPDATE, c.seen)) do
                    if f.id == 1 then
                        return true
                    end
                end
            end)
            c:say(http2.frame(http2.DATA, http2.END_STREAM, 1, "y"))
            assert.equal("x", c:hear(1).body)
            c.conn:close()
        end)
        assert.equal(65537, #got[1])
    end)

    it("tells who reads that the client has left", function()
        local why, done = nil, quoll.sync.event()
        http.run(function(req)
            quoll.defer(function() done:set() end)
            local _, err = pcall(req.body, req)
            why = quoll.iscancelled(err)
            error(err, 0)
        end, nil, function(connect)
            local c = http2.client(connect().conn)
            c:say(http2.post(1, "/"))
            c:await(http2.SETTINGS)
            c.conn:close()
            assert(done:wait(http.PATIENCE))
        end)
        assert.equal("the client has left", why)
    end)
end)
