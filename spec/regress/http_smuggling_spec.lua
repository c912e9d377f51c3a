-- Requests that two servers in a row could take for different ones: each is
-- refused, and nothing behind it is taken for a request.
local helper = require "spec.helper"
local raw = require "spec.support.http_raw"

local NEXT = "GET /smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
local CHUNKED = "0\r\n\r\n"

local function post(fields)
    return "POST / HTTP/1.1\r\nHost: a\r\n" .. fields .. "\r\n\r\n"
end

local attacks = {
    ["Content-Length beside Transfer-Encoding"] = {
        post "Content-Length: 6\r\nTransfer-Encoding: chunked" .. CHUNKED,
        post "Transfer-Encoding: chunked\r\nContent-Length: 6" .. CHUNKED,
        post "Content-Length: 0\r\nTransfer-Encoding: chunked" .. CHUNKED,
        post "content-length: 6\r\nTRANSFER-ENCODING: CHUNKED" .. CHUNKED,
        post "Transfer-Encoding: identity\r\nContent-Length: 6" .. CHUNKED,
    },
    ["several lengths"] = {
        post "Content-Length: 5\r\nContent-Length: 6" .. "hello",
        post "Content-Length: 5\r\nContent-Length: 5" .. "hello",
        post "Content-Length: 5, 5" .. "hello",
        post "Content-Length: 5,6" .. "hello",
    },
    ["lengths that are none"] = {
        post "Content-Length: +5", post "Content-Length: -5",
        post "Content-Length: 0x5", post "Content-Length: 5_0",
        post "Content-Length: 5 5", post "Content-Length: 5;",
        post "Content-Length: \"5\"", post "Content-Length:",
        post "Content-Length: 1e1", post "Content-Length: 5.0",
        post "Content-Length: 18446744073709551621",
        post "Content-Length: 9223372036854775808",
        post "Content-Length: \194\1785",
    },
    ["encodings that are not quite chunked"] = {
        post "Transfer-Encoding: xchunked", post "Transfer-Encoding: chunked,",
        post "Transfer-Encoding: ,chunked",
        post "Transfer-Encoding: chunked;a",
        post "Transfer-Encoding: chunked, identity",
        post "Transfer-Encoding: chunked, chunked",
        post "Transfer-Encoding: \"chunked\"", post "Transfer-Encoding:",
        post "Transfer-Encoding: \11chunked",
        post "Transfer-Encoding: chunked\11",
        post "Transfer-Encoding: chunked\0",
        post "Transfer-Encoding : chunked",
        post "Transfer-Encoding\t: chunked", post " Transfer-Encoding: chunked",
        post "Transfer-Encoding:\r\n chunked", post "Transfer-Encoding chunked",
        post "X: y\rTransfer-Encoding: chunked",
        post "X: y\nTransfer-Encoding: chunked",
        post "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
        post "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
        post "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" .. CHUNKED,
    },
    ["bare LF, bare CR"] = {
        "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
        "GET / HTTP/1.1\rHost: a\r\r", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\rZ: w\r\n\r\n",
    },
    ["folded fields"] = {
        post "X: y\r\n z", post "X: y\r\n\tz", post "X:\r\n y",
        post "X: y\r\n \r\n z", post "Content-Length: 5\r\n 0",
    },
    ["names that are none"] = {
        post "Content-Length : 5", post "Content-Length\0: 5", post ": 5",
        post "Content Length: 5", post "\"Content-Length\": 5",
        post "Content-Length", post "X\255: y", post "X[]: y",
    },
    ["controls in a value"] = {
        post "X: \0", post "X: a\1b", post "X: a\127", post "X: a\11",
        post "X: a\8",
    },
    ["targets that are none"] = {
        "GET /a /b HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://u@b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\195\164 HTTP/1.1\r\nHost: a\r\n\r\n",
    },
    ["hosts that are none, or two"] = {
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
        "GET http://b/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    },
}

local body = post "Transfer-Encoding: chunked"
local bodies = {
    ["sizes of chunks that are none"] = {
        "+1\r\nx", "-1\r\nx", "0x1\r\nx", "1 \r\nx", " 1\r\nx", "1_\r\nx",
        "\r\n", "g\r\n", "1\nx\r\n", "1\rx\r\n", "1,1\r\nx", "\"1\"\r\nx",
        "10000000000000001\r\nx", "ffffffffffffffff\r\nx",
        "8000000000000001\r\nx", ("0"):rep(17) .. "1\r\nx",
    },
    ["chunks that are longer or shorter"] = {
        "1\r\nxx\r\n0\r\n\r\n", "1\r\nx\n0\r\n\r\n", "1\r\nx\r0\r\n\r\n",
        "2\r\nx\r\n0\r\n\r\n", "1\r\nx0\r\n\r\n", "0\n\r\n", "0\r\n\n",
    },
    ["chunk extensions that are too long, or none"] = {
        "1;" .. ("a"):rep(300) .. "\r\nx\r\n0\r\n\r\n",
        "1;a\nx\r\n0\r\n\r\n", "1;a\0\r\nx\r\n0\r\n\r\n",
        "1;a\rb\r\nx\r\n0\r\n\r\n", "1 a\r\nx\r\n0\r\n\r\n",
        ("1;" .. ("a"):rep(250) .. "\r\nx\r\n"):rep(80) .. "0\r\n\r\n",
    },
    ["trailers that must not be"] = {
        "0\r\nContent-Length: 5\r\n\r\n", "0\r\nHost: b\r\n\r\n",
        "0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nX : y\r\n\r\n",
        "0\r\nX: y\n\r\n", "0\r\nX: y\r\n z\r\n\r\n", "0\r\nX: \0\r\n\r\n",
        "0\r\n X: y\r\n\r\n", "0\r\n: y\r\n\r\n",
    },
}

-- The status of the one answer; nothing behind was taken for a request.
local function refused(ask, text)
    local list, seen = ask(text .. NEXT)
    assert.equal(1, #list, text)
    for _, request in ipairs(seen) do
        assert.not_equal("/smuggled", request.target, text)
    end
    assert.truthy(list[1].head:lower():find("connection: close", 1, true),
        text)
    return list[1].status, #seen
end

local function reads(req)
    local data = req:body()
    return data and "ok" or 400
end

describe("requests that could be taken for others", function()
    helper.gates()

    for what, texts in pairs(attacks) do
        it("are refused: " .. what, raw.server(nil, nil, function(ask)
            for _, text in ipairs(texts) do
                local status, handled = refused(ask, text)
                assert.equal(400, status, text)
                assert.equal(0, handled, text)
            end
        end))
    end

    for what, texts in pairs(bodies) do
        it("are refused: " .. what, raw.server(reads, nil, function(ask)
            for _, text in ipairs(texts) do
                assert.equal(400, (refused(ask, body .. text)), text)
            end
        end))
    end

    it("are none when they are whole", raw.server(reads, nil, function(ask)
        local list, seen = ask(body .. "1\r\nx\r\n0\r\n\r\n" .. NEXT)
        assert.equal(2, #list)
        assert.equal(200, list[2].status)
        assert.equal("/smuggled", seen[2].target)
    end))
end)
