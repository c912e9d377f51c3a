local helper = require "spec.helper"
local peer = require "spec.support.http_peer"
local quoll = require "quoll"

local http = quoll.http
local OK = peer.answer "ok"

local function to(location, status)
    return ("HTTP/1.1 %d Go\r\nLocation: %s\r\nContent-Length: 2\r\n\r\ngo")
        :format(status or 302, location)
end

local function gone()
    return false
end

local function busy(after)
    return "HTTP/1.1 503 Busy\r\nRetry-After: " .. after
        .. "\r\nContent-Length: 0\r\n\r\n"
end

-- Request lines of what was asked.
local function lines(heard)
    local list = {}
    for i, request in ipairs(heard) do
        list[i] = request.head:match "^(.-) HTTP/1.1\r\n"
    end
    return list
end

describe("quoll.http.client.follow", function()
    helper.gates()

    it("goes where it is sent, on the same connection", peer.with({
        to "/b?c", to("d", 303), to("../e", 308), OK }, function(url, heard)
        local res = assert(http.post(url .. "/a", "body"))
        assert.equal("ok", res:body())
        assert.equal(url .. "/e", res.url)
        assert.same({ "POST /a", "GET /b?c", "GET /d", "GET /e" }, lines(heard))
        assert.equal(1, heard[4].conn)
        assert.is_nil(heard[2].head:find "Content%-")
    end))

    it("sends the body again where it is asked to", peer.with({
        to("/b", 307), OK, to("/b", 307) }, function(url, heard)
        assert.equal("ok", assert(http.put(url, { "a", "b" })):body())
        assert.equal("ab", heard[2].body)
        local once = function() return nil end
        local res = assert(http.put(url, once))
        assert.equal(307, res.status)
        assert.equal("go", res:body())
        assert.equal(3, #heard)
    end))

    it("goes in no circles", function()
        local answers = {}
        for i = 1, 20 do
            answers[i] = to "/"
        end
        quoll.run(function()
            peer.serve(answers, function(url, heard)
                assert.same({ nil, "too many redirects", "ELOOP" },
                    { http.get(url) })
                assert.equal(11, #heard)
                assert.equal("ELOOP", select(3, http.get(url,
                    { redirects = 1 })))
                assert.equal(13, #heard)
                for _, none in ipairs { 0, false } do
                    assert.equal(302, assert(http.get(url,
                        { redirects = none })).status)
                end
            end)
        end)
    end)

    it("tells no other origin a secret", peer.with({ OK, OK },
        function(other, others)
            peer.serve({ to(other), to "/b", to(other), OK },
                function(url, heard)
                    local secret = { headers = { Authorization = "x" } }
                    assert(http.get(url, secret)):body()
                    local own = url:gsub("//", "//me:x@")
                    assert(http.get(own, { headers = { Cookie = "y" } })):body()
                    assert.matches("Authorization: x", heard[1].head)
                    assert.matches("Authorization: Basic", heard[3].head)
                    for i = 1, 2 do
                        assert.is_nil(others[i].head:find "Authorization")
                        assert.is_nil(others[i].head:find "Cookie")
                        assert.matches("\r\nHost: " .. other:sub(8),
                            others[i].head)
                    end
                end)
        end))

    it("keeps cookies on the way", peer.with({
        "HTTP/1.1 302 Go\r\nLocation: /b\r\nSet-Cookie: a=1; Path=/\r\n"
        .. "Set-Cookie: b=\1\r\nSet-Cookie: c=3; Domain=x.example\r\n"
        .. "Content-Length: 0\r\n\r\n", OK }, function(url, heard)
        local jar = http.jar()
        local res, err = http.get(url, { jar = jar })
        assert.truthy(res or err:find "bad response")
        if res then
            assert.matches("\r\nCookie: a=1\r\n", heard[2].head)
            assert.equal(1, #jar:cookies())
        end
    end))

    it("refuses bad places", peer.with({ to "ftp://x/", to "http://[/" },
        function(url)
            for _ = 1, 2 do
                local res, err, code = http.get(url)
                assert.is_nil(res)
                assert.matches("^bad redirect: ", err)
                assert.equal("EBADMSG", code)
            end
        end))

    it("asks again when a kept connection was dead", peer.with({ OK, gone,
        OK, gone, gone, OK, gone }, function(url, heard)
        assert.equal("ok", assert(http.get(url)):body())
        assert.equal("ok", assert(http.get(url)):body())
        assert.same({ 1, 1, 2 }, { heard[1].conn, heard[2].conn,
            heard[3].conn })
        -- Twice is the server's own doing.
        local res, err = http.get(url)
        assert.same({ nil, "closed" }, { res, err })
        assert.equal("ok", assert(http.get(url)):body())
        assert.equal("closed", select(2, http.post(url, "x")))
        assert.equal(7, #heard)
    end))

    it("tries again as often as it is told to", peer.with({ busy(0), gone,
        OK, busy(0), busy(0), busy(0), busy(99), busy(0) },
        function(url, heard)
            local twice = { retries = { times = 2, backoff = 0.001 } }
            assert.equal("ok", assert(http.get(url, twice)):body())
            assert.equal(503, assert(http.get(url, twice)).status)
            assert.equal(6, #heard)
            assert.equal(503, assert(http.get(url, twice)).status)
            assert.equal(503, assert(http.post(url, "x", twice)).status)
            assert.equal(8, #heard)
        end))

    it("tries no longer than it has time", peer.with({ busy(9), busy(9) },
        function(url, heard)
            assert.equal(503, assert(http.get(url, { retries = 5,
                deadline = 5 })).status)
            assert.equal(503, assert(http.get(url, { retries = 5,
                timeout = 5 })).status)
            assert.equal(2, #heard)
        end))
end)
