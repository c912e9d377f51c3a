local http = require "spec.support.http_message"

local CHUNKED = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked"
    .. "\r\n\r\n"

local function chunked(body, opts)
    return http.parse("request", CHUNKED .. body, opts)
end

local function refused(status, body, opts)
    assert.equal(status, chunked(body, opts).error, body:sub(1, 60))
end

describe("runtime/http/body", function()
    it("has as many bytes as its length says", function()
        local found = http.parse("request", "POST / HTTP/1.1\r\nHost: a\r\n"
            .. "Content-Length: 5\r\n\r\nhello!")
        assert.equal("hello", found.body)
        assert.equal("!", found.rest)
    end)

    it("is what the chunks hold", function()
        local found = chunked("5\r\nhello\r\n00A\r\n, world...\r\n0\r\n\r\n!")
        assert.equal("hello, world...", found.body)
        assert.equal("!", found.rest)
        assert.equal("", chunked("0\r\n\r\n").body)
        assert.equal("", chunked("000\r\n\r\n!").body)
    end)

    it("refuses a chunk's size that is none", function()
        for _, line in ipairs { "", "g", "-1", "+1", "0x1", "1_0", " 1", "1 ",
            "1 x", "1\t", "1\0", "\"1\"", "1,1", "1\r", "1.0",
            "11111111111111111", "00000000000000001", "ffffffffffffffff",
            "8000000000000000" } do
            refused(400, line .. "\r\nx\r\n0\r\n\r\n")
        end
        refused(400, "1\nx\r\n0\r\n\r\n")
        refused(400, "0\n\r\n")
        refused(400, ("0"):rep(1000))
    end)

    it("refuses a chunk that is longer or shorter", function()
        for _, body in ipairs { "1\r\nxx\r\n0\r\n\r\n", "2\r\nx\r\n0\r\n\r\n",
            "1\r\nx\n0\r\n\r\n", "1\r\nx0\r\n\r\n", "1\r\nx\r0\r\n\r\n" } do
            refused(400, body)
        end
    end)

    it("skips extensions, within bounds", function()
        local found = chunked("1;a\r\nx\r\n1 ;a=b\r\ny\r\n1;a=\"b;c\";d\r\nz"
            .. "\r\n0;e\r\n\r\n")
        assert.equal("xyz", found.body)
        refused(400, "1;" .. ("a"):rep(256) .. "\r\nx\r\n0\r\n\r\n")
        refused(400, "1;" .. ("a"):rep(100000))
        refused(400, ("1;" .. ("a"):rep(200) .. "\r\nx\r\n"):rep(100)
            .. "0\r\n\r\n")
        refused(400, "1;a\0\r\nx\r\n0\r\n\r\n")
        refused(400, "1;a\rb\r\nx\r\n0\r\n\r\n")
        refused(400, "1;a\nx\r\n0\r\n\r\n")
    end)

    it("is cut when its end is missing", function()
        for _, body in ipairs { "", "5", "5\r\n", "5\r\nhell", "5\r\nhello",
            "5\r\nhello\r\n", "5\r\nhello\r\n0", "5\r\nhello\r\n0\r\n",
            "5\r\nhello\r\n0\r\nA: b\r\n" } do
            assert.equal("cut", chunked(body).why, body)
        end
    end)

    it("lasts until the connection ends", function()
        local found = http.parse("response", "HTTP/1.1 200 OK\r\n\r\nabc")
        assert.equal("abc", found.body)
        assert.is_nil(found.error)
    end)

    it("gives the pieces before a failure, then the failure", function()
        local found = chunked("3\r\nabc\r\n3\r\nabcd")
        assert.equal("abcabc", found.body)
        assert.equal(400, found.error)
    end)
end)
