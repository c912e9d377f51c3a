local helper = require "spec.helper"
local http = require "spec.support.http"
local http2 = require "spec.support.http2"
local quoll = require "quoll"

-- What a client hears of what the handler returns.
local function answer(handler, method, opts)
    local heard
    http.run(handler, opts, function(connect)
        local c = http2.client(connect().conn)
        c:say(http2.frame(http2.HEADERS, http2.END_STREAM + http2.END_HEADERS,
            1, http2.request(method or "GET", "/")))
        heard = c:hear(1)
        c.conn:close()
    end)
    return heard
end

local function returns(...)
    local results, n = { ... }, select("#", ...)
    return function() return unpack(results, 1, n) end
end

describe("lua/http/http2/respond", function()
    helper.gates()

    it("has the fields of a text", function()
        local got = answer(returns "hello", nil, { server = "q" })
        assert.equal("hello", got.body)
        assert.equal("text/plain; charset=utf-8", got.fields["content-type"])
        assert.equal("5", got.fields["content-length"])
        assert.equal("q", got.fields.server)
        assert.matches("^%a%a%a, %d%d %a%a%a %d+ %d%d:%d%d:%d%d GMT$",
            got.fields.date)
    end)

    it("has the handler's, without those of a connection", function()
        local got = answer(returns(201, { "a", 1, { "b" } }, {
            ["X-A"] = { 1, "two" }, ["Content-Type"] = "a/b", Date = "today",
            Connection = "close", ["Transfer-Encoding"] = "x", ["X-No"] = false,
        }))
        assert.equal(201, got.status)
        assert.equal("a1b", got.body)
        assert.same({ [":status"] = "201", ["x-a"] = "two", date = "today",
            ["content-type"] = "a/b", ["content-length"] = "3" }, got.fields)
    end)

    it("has no body where there is none", function()
        local head = answer(returns "hello", "HEAD")
        assert.equal("5", head.fields["content-length"])
        assert.equal("", head.body)
        local none = answer(returns(204))
        assert.is_nil(none.fields["content-length"])
        assert.is_nil(none.fields["content-type"])
        local length = answer(returns(304, nil, { ["Content-Length"] = 77 }))
        assert.equal("77", length.fields["content-length"])
    end)

    it("is pulled from a function", function()
        local i = 0
        local got = answer(returns(200, function()
            i = i + 1
            return i <= 3 and { "piece ", i, "\n" } or nil
        end))
        assert.equal("piece 1\npiece 2\npiece 3\n", got.body)
        assert.is_nil(got.fields["content-length"])
    end)

    it("is cut by a function that fails, and closes what can be", function()
        local closed = 0
        local body = setmetatable(
            { close = function() closed = closed + 1 end },
            { __call = function() return nil, "no more" end })
        helper.silent()
        assert.equal(2, answer(returns(200, body)).reset)
        assert.equal(2, answer(returns(200, function() error "x" end)).reset)
        assert.equal(1, closed)
    end)

    it("sends files", function()
        local path = os.tmpname()
        local file = assert(io.open(path, "w"))
        file:write(("0123456789"):rep(20000))
        file:close()
        local got = answer(function()
            local f = assert(quoll.open(path, "r"))
            return 200, { "<", assert(quoll.http.part(f, 5, 150000)), ">" }
        end)
        os.remove(path)
        assert.equal("150002", got.fields["content-length"])
        assert.equal("<" .. ("0123456789"):rep(20000):sub(6, 150005) .. ">",
            got.body)
    end)

    it("splits nothing", function()
        helper.silent()
        for _, headers in ipairs { { ["X-A"] = "a\r\nb: c" }, { ["a b"] = 1 },
            { ["X-A"] = "\0" }, { [1] = "x" }, { [":status"] = "200" } }
        do
            assert.equal(500, answer(returns(200, "x", headers)).status)
        end
    end)
end)
