local helper = require "spec.helper"
local certs = require "spec.support.certs"
local http = require "spec.support.http"
local http2 = require "quoll.http.http2"
local quoll = require "quoll"

local function version(req)
    return req.version .. " " .. req.scheme
end

local function tls()
    local server = certs.issue "server"
    return { cert = server.cert, key = server.key }
end

-- What curl says that a server of `handler` answers.
local function curl(args, opts)
    local said
    http.run(version, opts, function(_, address)
        local port = address:match ":(%d+)$"
        local words = { "env", "-u", "LD_PRELOAD", "curl", "-sk", "-m", "5" }
        for word in (args:gsub("PORT", port)):gmatch "%S+" do
            words[#words + 1] = word
        end
        said = quoll.process.run(words)
    end)
    return said
end

describe("lua/http/http2/init", function()
    helper.gates()

    it("is chosen by ALPN", function()
        assert.equal("2 https", curl("--http2 https://127.0.0.1:PORT/",
            { tls = tls() }))
        assert.equal("1.1 https", curl("--http1.1 https://127.0.0.1:PORT/",
            { tls = tls() }))
    end)

    it("is known by its preface", function()
        assert.equal("2 http",
            curl "--http2-prior-knowledge http://127.0.0.1:PORT/")
        assert.equal("1.1 http", curl "--http2 http://127.0.0.1:PORT/")
    end)

    it("stands many requests at a time", function()
        http.run(version, { requests = math.huge }, function(_, address)
            local said = quoll.process.run { "env", "-u",
                "LD_PRELOAD", "h2load", "-n", "1000", "-c",
                "4", "-m", "50", "http://" .. address .. "/" }
            assert.matches("1000 succeeded, 0 failed", said)
        end)
    end)

    it("can be left out", function()
        assert.equal("1.1 https", curl("--http2 https://127.0.0.1:PORT/",
            { tls = tls(), http2 = false }))
        http.run(version, { http2 = false }, function(connect)
            local c = connect()
            c:say "PRI * HTTP/2.0\n\nSM\n\n"
            assert.equal(505, c:hear().status)
        end)
    end)

    it("is only at the beginning of a connection", http.with(version, nil,
        function(connect)
            local c = connect()
            c:say "GET / HTTP/1.1\nHost: a\n\n"
            assert.equal("1.1 http", c:hear().body)
            c:say "PRI * HTTP/2.0\n\nSM\n\n"
            assert.equal(505, c:hear().status)
        end))

    it("offers it unless something else is", function()
        assert.same({ cert = "c", alpn = { "h2", "http/1.1" } },
            http2.offer { cert = "c" })
        local own = { alpn = { "http/1.1" } }
        assert.equal(own, http2.offer(own))
        assert.is_true(http2.wanted(nil))
        assert.is_false(http2.wanted(false))
    end)
end)
