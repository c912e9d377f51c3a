local http = require "spec.support.http_message"

local function with(fields, line)
    return http.parse("request", (line or "POST / HTTP/1.1") .. "\r\nHost: a"
        .. "\r\n" .. fields .. "\r\n\r\n0\r\n\r\n")
end

local function answer(fields, line)
    return http.parse("response", (line or "HTTP/1.1 200 OK") .. "\r\n"
        .. fields .. "\r\n\r\n")
end

local function refused(status, fields, line)
    assert.equal(status, with(fields, line).error, fields)
end

describe("runtime/http/fields", function()
    it("refuses what stands between fields", function()
        for _, fields in ipairs { "A: b\r\n c", "A:\r\n b", "A:\r\n ", "A: b\n",
            "A: b\nC: d", "A: b\rC: d", "A : b", "A\t: b", " A: b", ": b",
            "A", "A: \0", "A: \1", "A: \127", "A: \11", "A\0: b", "A(: b",
            "A\200: b", "A: b\r", "A: b\r\r" } do
            refused(400, fields)
        end
        assert.is_nil(with("A: \200\tb").error)
    end)

    it("takes one length, in digits", function()
        for _, value in ipairs { "+1", "-1", "1, 1", "1,1", "1 1", "0x1", "1_0",
            "", "1.0", "1e1", "\"1\"", "18446744073709551616",
            "9999999999999999999", "1;", "a" } do
            refused(400, "Content-Length: " .. value)
        end
        refused(400, "Content-Length: 5\r\nContent-Length: 5")
        refused(400, "Content-Length: 5\r\ncontent-length: 6")
        assert.equal(5, with("Content-Length: 5").length)
        assert.equal(5, with("Content-Length: 005").length)
        assert.is_true(with("Content-Length: 0").has_length)
    end)

    it("takes chunked and nothing else as an encoding", function()
        for _, value in ipairs { "chunked, gzip", "gzip", "identity",
            "xchunked", "chunked, chunked", "chunked;a=b", "\"chunked\"",
            "chunked,", ",chunked", "chunked x", "\11chunked", "", "chunked\0",
            "c hunked", "identity,  , chunked", "a b, chunked" } do
            refused(400, "Transfer-Encoding: " .. value)
        end
        refused(400, "Transfer-Encoding: chunked\r\n"
            .. "Transfer-Encoding: chunked")
        refused(400, "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked")
        refused(501, "Transfer-Encoding: gzip, chunked")
        assert.is_true(with("transfer-encoding: CHUNKED").chunked)
    end)

    it("takes one of the two", function()
        local both = { "Content-Length: 5", "Transfer-Encoding: chunked" }
        refused(400, both[1] .. "\r\n" .. both[2])
        refused(400, both[2] .. "\r\n" .. both[1])
        refused(400, both[2], "POST / HTTP/1.0")
        assert.equal(400, answer(both[1] .. "\r\n" .. both[2]).error)
        assert.equal(400, answer("Transfer-Encoding: gzip").error)
        assert.equal(400, answer(both[2], "HTTP/1.0 200 OK").error)
    end)

    it("wants one Host, but not of HTTP/1.0", function()
        local function bare(line)
            return http.parse("request", line .. "\r\n\r\n").error
        end
        assert.equal(400, bare "GET / HTTP/1.1")
        assert.equal(400, bare "GET http://a/ HTTP/1.1")
        assert.is_nil(bare "GET / HTTP/1.0")
        refused(400, "Host: a")
        refused(400, "hOST: b", "GET / HTTP/1.0")
    end)

    it("knows one expectation", function()
        assert.is_true(with("Expect: 100-Continue").expect)
        refused(417, "Expect: 200-ok")
        refused(417, "Expect: 100-continue, x")
        refused(417, "Expect:")
        assert.is_false(with("Expect: x", "POST / HTTP/1.0").expect)
    end)

    local options = {
        { "", true, false }, { "close", false, false },
        { "Keep-Alive", true, true }, { "keep-alive, close", false, false },
        { "foo , CLOSE , bar", false, false }, { "closed", true, false },
        { "xclose", true, false }, { "close x", true, false },
        { "upgrade", true, false },
    }
    it("says whether the connection lives on", function()
        for _, case in ipairs(options) do
            local fields = "Connection: " .. case[1]
            assert.equal(case[2], with(fields).keep_alive, fields)
            assert.equal(case[3], with(fields, "GET / HTTP/1.0").keep_alive,
                fields)
        end
        assert.is_true(with("Proxy-Connection: close").keep_alive)
        assert.is_false(with("Proxy-Connection: keep-alive",
            "GET / HTTP/1.0").keep_alive)
        assert.is_false(with("Connection: x\r\nConnection: close").keep_alive)
    end)

    it("knows an upgrade", function()
        local fields = "Upgrade: x\r\nConnection: keep-alive, Upgrade"
        assert.is_true(with(fields).upgrade)
        assert.is_false(with(fields, "GET / HTTP/1.0").upgrade)
        assert.is_false(with("Upgrade: x").upgrade)
        assert.is_false(with("Connection: upgrade").upgrade)
    end)

    it("says how a response ends", function()
        assert.is_true(answer("A: b").until_eof)
        assert.is_false(answer("A: b").keep_alive)
        for _, status in ipairs { "101", "204", "304" } do
            local found = answer("A: b", "HTTP/1.1 " .. status .. " x")
            assert.is_false(found.until_eof)
            assert.is_true(found.keep_alive)
            assert.equal("", found.rest)
        end
        assert.equal(400, answer("Content-Length: 2").error)
    end)
end)
