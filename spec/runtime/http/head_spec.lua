local http = require "spec.support.http_message"

local function parse(text, opts)
    return http.parse("request", text, opts)
end

local function refused(status, text, opts)
    assert.equal(status, parse(text, opts).error, text)
end

local HOST = " HTTP/1.1\r\nHost: a\r\n\r\n"

describe("runtime/http/head", function()
    it("has every field, in order", function()
        local found = parse("GET /a?b=c HTTP/1.1\r\nHost: x\r\nB:\r\n"
            .. "b: \t c d \t\r\n\r\nrest")
        assert.equal("GET", found.method)
        assert.equal("/a?b=c", found.target)
        assert.same({ "Host=x", "B=", "b=c d" }, found.fields)
        assert.equal(1, found.minor)
        assert.equal("rest", found.rest)
    end)

    it("waits for the rest of it", function()
        assert.is_true(parse("GET / HTTP/1.1\r\nHost: x\r\n").more)
        assert.is_true(parse("").more)
        assert.is_true(parse("\r").more)
    end)

    it("skips one empty line before a request", function()
        assert.is_nil(parse("\r\nGET /" .. HOST).error)
        refused(400, "\r\n\r\nGET /" .. HOST)
        refused(400, "\nGET /" .. HOST)
        refused(400, "\r\r\nGET /" .. HOST)
    end)

    it("refuses another version", function()
        for _, version in ipairs { "0.9", "2.0", "3.0" } do
            refused(505, "GET / HTTP/" .. version .. "\r\nHost: a\r\n\r\n")
        end
        for _, version in ipairs { "http/1.1", "HTTP/1.10", "HTTP/11",
            "HTTP/1.", "HTTP/+1.1", "HTTPS/1.1", "HTTP/1,1" } do
            refused(400, "GET / " .. version .. "\r\nHost: a\r\n\r\n")
        end
        refused(400, "GET /\r\n\r\n")
    end)

    it("takes a later HTTP/1 for the last one it knows", function()
        for _, version in ipairs { "1.2", "1.9" } do
            local found = parse("GET / HTTP/" .. version
                .. "\r\nHost: a\r\n\r\n")
            assert.is_nil(found.error)
            assert.equal(1, found.minor)
        end
    end)

    it("does not know every method", function()
        for _, method in ipairs { "BREW", "get", "GETX", "GE", "DESCRIBE",
            "PRI", ("X"):rep(100) } do
            refused(501, method .. " /" .. HOST)
        end
        for _, method in ipairs { "", "G(T", "G\0T", "G\127" } do
            refused(400, method .. " /" .. HOST)
        end
    end)

    it("refuses what a start line must not have", function()
        for _, line in ipairs { "GET  /", "GET / ", "GET /a b", "GET\t/",
            " GET /", "GET", "GET ", "GET /\0", "GET /\127", "GET /\200",
            "GET /a\rb", "GET /#a" } do
            refused(400, line .. HOST)
        end
        refused(400, "GET / HTTP/1.1\nHost: a\r\n\r\n")
        refused(400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n")
    end)

    it("is bounded: line, head, fields", function()
        refused(414, "GET /" .. ("a"):rep(9000) .. HOST)
        refused(414, "GET /" .. ("a"):rep(9000))
        refused(431, "GET / HTTP/1.1\r\nHost: a\r\nB: " .. ("b"):rep(33000))
        refused(431, "GET / HTTP/1.1\r\nHost: a\r\n" .. ("B: c\r\n"):rep(100))
        assert.is_nil(parse("GET / HTTP/1.1\r\nHost: a\r\n"
            .. ("B: c\r\n"):rep(99) .. "\r\n").error)
    end)

    it("holds no more fields than there is room", function()
        refused(431, "GET / HTTP/1.1\r\nHost: a\r\n" .. ("B: c\r\n"):rep(200),
            { fields = 100000 })
    end)

    it("has a response's status and reason", function()
        local function line(text)
            return http.parse("response", text
                .. "\r\nContent-Length: 0\r\n\r\n")
        end
        assert.equal("Not Found", line("HTTP/1.1 404 Not Found").reason)
        assert.equal(404, line("HTTP/1.1 404 Not Found").status)
        assert.equal("", line("HTTP/1.1 200 ").reason)
        assert.equal("", line("HTTP/1.1 200").reason)
        for _, bad in ipairs { "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1  200",
            "HTTP/1.1 099 x", "HTTP/1.1 2x0 x", "HTTP/1.1 200 \0", "ICY 200 OK",
            "HTTP/1.1 200\tOK", "HTTP/1.1" } do
            assert.equal(400, line(bad).error, bad)
        end
        assert.equal(505, line("HTTP/2.0 200 OK").error)
    end)
end)
