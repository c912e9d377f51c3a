local helper = require "spec.helper"
local http = require "spec.support.http"
local raw = require "quoll.http.core"

local GET = "GET /%s HTTP/1.1\nHost: a\n\n"

describe("bindings/http/reply", function()
    helper.gates()

    -- 4,096 bytes are copied behind the head, longer ones sent from where they
    -- are; both in lua/quoll/http/server.lua's way and the log's.
    for name, opts in pairs { plain = {}, logged = {
        log = { record = function() end } } } do
        it("sends strings of any length: " .. name, http.with(function(req)
            local n = tonumber(req.path:sub(2))
            return n % 2 == 0 and ("x"):rep(n) or 200, ("x"):rep(n)
        end, opts, function(connect)
            local c = connect()
            for _, n in ipairs { 0, 1, 4096, 4097, 20000, 4097, 1 } do
                c:say(GET:format(n))
                assert.equal(("x"):rep(n), c:hear().body)
            end
        end))
    end

    it("takes numbers as bodies", http.with(function()
        return 201, 12.5
    end, nil, function(connect)
        assert.equal("12.5", http.ask(connect, GET:format "").body)
    end))

    it("has the words of a status", function()
        assert.equal("Not Found", raw.reason(404))
        assert.equal("", raw.reason(599))
    end)

    it("refuses to answer where no request is under way", function()
        local quoll = require "quoll"
        quoll.run(function()
            local listener = quoll.listen "127.0.0.1:0"
            local conn = quoll.connect(listener:address())
            assert.same({ nil, "closed", "CLOSED" }, { raw.head(conn, 200) })
            assert.same({ nil, "closed", "CLOSED" }, { raw.put(conn, "x") })
            assert.same({ nil, "closed", "CLOSED" }, { raw.finish(conn) })
            assert.same({}, { raw.reply(conn, true, "x") })
            assert.is_false(raw.begun(conn))
            listener:close()
        end)
        assert.has_error(function() raw.put(1, "x") end)
    end)
end)
