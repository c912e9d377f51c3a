-- Answers that somebody has tampered with, in pieces of any size, followed by
-- the end: the client has an answer or says what is wrong, never raises or
-- waits for more, keeps no such connection, and takes no part for the whole.
-- QUOLL_TEST_SEED=n makes other ones.
local drop = require("quoll.core").keepalive.drop
local helper = require "spec.helper"
local peer = require "spec.support.http_peer"
local quoll = require "quoll"
local numbers = require "spec.support.random"

local SEED = tonumber(os.getenv "QUOLL_TEST_SEED") or 20261123
local ROUNDS = helper.injected and 100 or 400

local random = numbers.new(SEED)

local answers = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n"
        .. "3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nT: u\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
    "HTTP/1.0 200 OK\r\nSet-Cookie: a=b; Path=/; Max-Age=5\r\n\r\nhello",
    "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\n"
        .. "Content-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n\r\n"
        .. require("zlib").deflate(nil, 31)("hello", "finish"),
}

local changes = {
    function(text) return text end,
    function(text) return text:sub(1, random(#text)) end,
    function(text)
        local at = random(#text) + 1
        return text:sub(1, at - 1) .. string.char(random(256))
            .. text:sub(at + 1)
    end,
    function(text)
        local at, n = random(#text), random(20)
        return text:sub(1, at) .. text:sub(at + n)
    end,
    function(text)
        local at, n = random(#text), random(20)
        return text:sub(1, at) .. text:sub(math.max(at - n, 1))
    end,
    function(text)
        local at = random(#text)
        local odd = { "\r", "\n", "\0", "\r\n", " ", ":", "9999999999",
            "Content-Length: 3\r\n", "\r\n\r\n" }
        return text:sub(1, at) .. odd[random(#odd) + 1] .. text:sub(at + 1)
    end,
}

-- Sends text in pieces, then the end.
local function in_pieces(text, cut)
    return function(conn)
        local at = 1
        while at <= #text do
            local n = cut or 1 + random(#text)
            conn:send(text:sub(at, at + n - 1))
            at = at + n
            quoll.yield()
        end
        return false
    end
end

-- What a client makes of what the server says.
local function outcome(url, jar)
    local res, err, code = quoll.http.get(url, { jar = jar,
        timeout = peer.PATIENCE })
    if not res then
        return { err, code }
    end
    local text
    text, err, code = res:body()
    return { res.status, text, err, code, res:trailers().t }
end

local function tampered()
    local text = answers[random(#answers) + 1]
    for _ = 0, random(3) do
        text = changes[random(#changes) + 1](text)
    end
    return text
end

local function check(result, text, what)
    assert.not_equal("TIMEOUT", result[2], what)
    assert.not_equal("TIMEOUT", result[4], what)
    assert.truthy(type(result[2]) == "string" or type(result[4]) == "string",
        what)
    assert.truthy(type(result[1]) == "number" and result[2]
        or text:find " 302" -- which was whole
        or quoll.stats().keepalive.idle == 0, what)
end

describe("an answer that was tampered with", function()
    helper.gates()

    it("is an answer or a failure", function()
        local text
        local scripts = setmetatable({}, { __index = function()
            return in_pieces(text)
        end })
        quoll.run(function()
            local jar = quoll.http.jar()
            peer.serve(scripts, function(url, heard)
                for i = 1, ROUNDS do
                    drop()
                    text = tampered()
                    local was = #heard
                    local ok, result = pcall(outcome, url, jar)
                    local what = ("%d: %q"):format(i, text)
                    assert.is_true(ok, what .. tostring(result))
                    check(result, text, what)
                    assert.truthy(#heard > was, what)
                end
            end)
        end)
    end)

    it("is the same however it comes", function()
        for _, text in ipairs(answers) do
            quoll.run(function()
                peer.serve({ in_pieces(text, #text), in_pieces(text, 1),
                    in_pieces(text, 3), in_pieces(text, 40) }, function(url)
                    local expected = outcome(url)
                    for _ = 1, 3 do
                        assert.same(expected, outcome(url), text)
                    end
                end)
            end)
        end
    end)

    it("is never taken for the whole when it was cut", function()
        local whole = { [answers[1]] = true, [answers[2]] = true,
            [answers[6]] = true }
        for text in pairs(whole) do
            local scripts = {}
            for i = 1, #text - 1 do
                scripts[i] = in_pieces(text:sub(1, i), i)
            end
            quoll.run(function()
                peer.serve(scripts, function(url)
                    for i = 1, #text - 1 do
                        local result = outcome(url)
                        assert.not_equal("hello", result[2], text:sub(1, i))
                    end
                end)
            end)
        end
    end)
end)
