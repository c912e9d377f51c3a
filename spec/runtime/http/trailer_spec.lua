local http = require "spec.support.http_message"

local function trailers(text, opts)
    return http.parse("request", "POST / HTTP/1.1\r\nHost: a\r\n"
        .. "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" .. text, opts)
end

describe("runtime/http/trailer", function()
    it("is a field as those of a head are", function()
        local found = trailers("A: b\r\nc:\r\nD: \t e f \t\r\n\r\n!")
        assert.same({ "A=b", "c=", "D=e f" }, found.trailers)
        assert.equal("!", found.rest)
        assert.same({ "Host=a", "Transfer-Encoding=chunked" }, found.fields)
    end)

    it("is refused when it is none", function()
        for _, line in ipairs { "A", ": b", "A : b", " A: b", "A: \0",
            "A: b\rc", "A: b\nC: d", "A: b\r\n c", "A(: b", "A: \127" } do
            assert.equal(400, trailers(line .. "\r\n\r\n").error, line)
        end
        assert.equal(400, trailers("A: b\n\r\n").error)
        assert.equal(400, trailers("\n").error)
    end)

    it("must not frame or route or explain the message", function()
        for _, name in ipairs { "Content-Length", "transfer-encoding", "Host",
            "Trailer", "TE", "Connection", "Content-Type", "Cookie",
            "Authorization", "Content-Encoding", "Set-Cookie" } do
            assert.equal(400, trailers(name .. ": 1\r\n\r\n").error, name)
        end
        assert.is_nil(trailers("X-Content-Length: 1\r\n\r\n").error)
    end)

    it("counts as a field, and its bytes as the head's", function()
        assert.equal(431, trailers(("A: b\r\n"):rep(99) .. "\r\n").error)
        assert.is_nil(trailers(("A: b\r\n"):rep(98) .. "\r\n").error)
        assert.equal(431, trailers("A: " .. ("b"):rep(40000)).error)
        assert.equal(431, trailers("A: " .. ("b"):rep(100) .. "\r\n\r\n",
            { head = 60 }).error)
    end)
end)
