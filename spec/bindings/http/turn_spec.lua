local helper = require "spec.helper"
local http = require "spec.support.http"
local quoll = require "quoll"
local raw = require "quoll.http.core"

local GET = "GET /%s HTTP/1.1\nHost: a\n\n"

-- What is answered to each of these paths, and how it reads.
local ANSWERS = {
    short = function() return "short" end,
    long = function() return ("x"):rep(100000) end,
    list = function() return { "a", "list" } end,
    none = function() return 204 end,
    waits = function()
        quoll.sleep(0)
        return 201, "waited"
    end,
    fails = function() quoll.http.raise(404, "no such thing") end,
    opens = function() -- something that ends with the request
        quoll.listen "127.0.0.1:0"
        return "opened"
    end,
}
local EXPECTED = { short = "short", long = ("x"):rep(100000), list = "alist",
    waits = "waited", fails = "no such thing", opens = "opened" }

local function answer(req)
    return ANSWERS[req.path:sub(2)]()
end

describe("bindings/http/turn", function()
    helper.gates()

    it("answers all that have come, in their order, whatever they are",
        http.with(answer, nil, function(connect)
            local c = connect()
            local names, all = {}, {}
            for name in pairs(ANSWERS) do
                for other in pairs(ANSWERS) do
                    names[#names + 1], names[#names + 2] = name, other
                end
            end
            for i, name in ipairs(names) do
                all[i] = GET:format(name)
            end
            local sender = quoll.spawn(c.say, c, table.concat(all))
            for _, name in ipairs(names) do
                local found = c:hear(name == "none")
                assert.equal(EXPECTED[name], found.body or nil, name)
            end
            sender:wait()
        end))

    it("lets others on while a client has much to ask", function()
        local seen, most, turns = 0, 0, 0
        http.run(function()
            seen = seen + 1
            return ""
        end, { requests = math.huge }, function(connect)
            local c = connect()
            local before = 0
            quoll.spawn(function()
                while seen < 300 do
                    most = math.max(most, seen - before)
                    before, turns = seen, turns + 1
                    quoll.yield()
                end
            end)
            c:say(GET:format "":rep(300))
            for _ = 1, 300 do
                c:hear()
            end
        end)
        assert.truthy(turns > 3)
        assert.truthy(most <= 128, most)
    end)

    it("makes a request for whoever can see it", function()
        local function given(...)
            return type((...)) == "table" and (...).path or "none"
        end
        local handlers = {
            { function(req) return given(req) end, "/x" },
            { function(...) return given(...) end, "/x" },
            { setmetatable({}, { __call = function(_, req)
                return given(req)
            end }), "/x" },
            { function() return "unseen" end, "unseen" },
            { function() return 201, "unseen", { a = "b" } end, "unseen" },
        }
        for _, case in ipairs(handlers) do
            http.run(case[1], nil, function(connect)
                local c = connect()
                c:say(GET:format "x":rep(3) .. "POST / HTTP/1.1\nHost: a\n"
                    .. "Content-Length: 2\n\nhi" .. GET:format "x")
                for i = 1, 5 do
                    local body = c:hear().body
                    assert.equal(i == 4 and case[2] == "/x" and "/"
                        or case[2], body)
                end
            end)
        end
    end)

    it("declines where no request is under way", function()
        quoll.run(function()
            local listener = quoll.listen "127.0.0.1:0"
            local conn = quoll.connect(listener:address())
            local config = raw.config {}
            assert.same({ nil, "closed", "CLOSED" },
                { raw.answer(conn, true, "x") })
            assert.same({ false, false, "oops" },
                { raw.answer(conn, false, "oops") })
            raw.attach(conn, config)
            assert.same({ false, true, "x" }, { raw.answer(conn, true, "x") })
            listener:close()
        end)
        assert.has_error(function() raw.answer(1, true, "x") end)
    end)
end)
