local http = require "spec.support.http_message"

local ffi = require "ffi"
local lib = http.lib

local PLAIN = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /a/b?c=d&e HTTP/1.1\r\nhost:a:80\r\nContent-Length: 0\r\n\r\nrest",
    "HEAD /%20 HTTP/1.1\r\nA:\r\nHOST: \t a\r\nB: \1280 \"c\td\"\r\n\r\n",
    "PUT /~ HTTP/1.1\r\nHost: [::1]:8\r\nExpect: 100-continue\r\n"
        .. "CONTENT-length: 3\r\nConnection: Close\r\n\r\nabc",
    "DELETE //? HTTP/1.1\r\nHost:\r\nCONNECTION: keep-alive\r\n\r\n",
    "PATCH /?? HTTP/1.1\r\nUpgrades: x\r\nHost: a\r\nConnections: x\r\n\r\n",
    "OPTIONS / HTTP/1.1\r\nAccept: */*\r\nHost: a.b\r\nConnection: close\r\n"
        .. "connection: keep-alive\r\nUser-Agent: a (b; c) d/1.0\r\n\r\n",
}

-- Fields that a plain head does not have.
local OTHERS = {
    "Upgrade: h2c", "Connection: upgrade", "Connection: close, x",
    "Connection: close ", "Connection:", "Proxy-Connection: close", "A: b ",
    "Transfer-Encoding: chunked", "Content-Length: 5\t", "Content-Length: x",
    "Content-Length: 1\r\nContent-Length: 1", "Expect: x", "Host: b", "A : b",
    "A: b\r\n c", "A: \1", "A: \127", "A: b\nC: d", ": a", "A",
}

local function is_plain(text, limits)
    local m = ffi.new("ql_http_message_t")
    limits = ffi.new("ql_http_limits_t", limits or { 8192, 32768, 100 })
    lib.ql_http_message_init(m, 0, limits)
    return lib.ql__http_plain(m, text, #text), m
end

-- head.c gives a head that comes in two to llhttp.
local function same(text, what)
    assert.same(http.parse("request", text, nil, { 1, #text }),
        http.parse("request", text), what or text)
end

describe("runtime/http/plain", function()
    it("takes what most requests are as llhttp does", function()
        for _, text in ipairs(PLAIN) do
            assert.is_true(is_plain(text), text)
            same(text)
        end
    end)

    it("leaves what is rare or wrong, as it was", function()
        for _, field in ipairs(OTHERS) do
            local text = "GET / HTTP/1.1\r\nHost: a\r\n" .. field .. "\r\n\r\n"
            local plain, m = is_plain(text)
            assert.is_false(plain, field)
            assert.same({ 0, 0, 0 }, { m.error, m.count, m.parsed }, field)
            same(text)
        end
        for _, line in ipairs { "GET * HTTP/1.1", "GET / HTTP/1.0", "BREW /",
            "GET http://a/ HTTP/1.1", "CONNECT a:1 HTTP/1.1", "get / HTTP/1.1",
            "GET  / HTTP/1.1", "GET / HTTP/1.1 ", "GET /# HTTP/1.1" } do
            assert.is_false(is_plain(line .. "\r\nHost: a\r\n\r\n"), line)
        end
    end)

    it("leaves what has not come whole", function()
        local text = PLAIN[1]
        for n = 0, #text - 1 do
            assert.is_false(is_plain(text:sub(1, n)), n)
        end
    end)

    it("leaves what is beyond a limit", function()
        local text = PLAIN[1] -- a line of 14 bytes, 27 in all, one field
        assert.is_true(is_plain(text, { 14, 27, 1 }))
        assert.is_false(is_plain(text, { 13, 27, 1 }))
        assert.is_false(is_plain(text, { 14, 26, 1 }))
        assert.is_false(is_plain(text, { 14, 27, 0 }))
    end)

    it("and llhttp are one wherever a byte is another", function()
        for _, text in ipairs(PLAIN) do
            for i = 1, #text do
                for byte in ("\0\t\n\r !:?/,A0\127\255"):gmatch "." do
                    same(text:sub(1, i - 1) .. byte .. text:sub(i + 1))
                end
            end
        end
    end)
end)
