local certs = require "spec.support.certs"
local command = require "spec.support.peer"
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local peer = require "spec.support.http_peer"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

local http = quoll.http
local OK = peer.answer "ok"

local function trusting(opts)
    opts = opts or {}
    opts.tls = tls.client { timeout = nil, server_name = nil }
    return opts
end

describe("quoll.http.client.origin", function()
    helper.gates()

    it("has a pool for each origin", peer.with({ OK, OK, OK, OK, OK },
        function(url, heard)
            local named = { pool = { name = "b", size = 1 } }
            for _, opts in ipairs { {}, { pool = "a" }, named, { pool = false },
                {} } do
                assert.equal("ok", assert(http.get(url, opts)):body())
            end
            assert.same({ 1, 2, 3, 4, 1 }, { heard[1].conn, heard[2].conn,
                heard[3].conn, heard[4].conn, heard[5].conn })
            assert.matches("\r\nConnection: close\r\n", heard[4].head)
            assert.equal("http://" .. url:sub(8),
                quoll.stats().keepalive.pools[1].name:match "^http://.*")
        end))

    it("is never more than its pool allows", peer.with({ OK, OK, OK, OK },
        function(url, heard)
            local opts = { pool = { size = 1, backlog = 9 } }
            local tasks = {}
            for i = 1, 4 do
                tasks[i] = quoll.spawn(function()
                    return assert(http.get(url, opts)):body()
                end)
            end
            for i = 1, 4 do
                assert.equal("ok", tasks[i]:wait(peer.PATIENCE))
            end
            assert.equal(1, heard[4].conn)
        end))

    it("speaks TLS, verified, and keeps it", peer.with({ OK, OK },
        function(url, heard)
            local address = url:gsub("127%.0%.0%.1", "localhost")
            for _ = 1, 2 do
                assert.equal("ok", assert(http.get(address,
                    trusting())):body())
            end
            assert.equal(1, heard[2].conn)
            local other = trusting()
            other.tls.server_name = "other.example"
            assert.equal("HOSTNAME_MISMATCH", select(3, http.get(url, other)))
            local res, _, code = http.get(address)
            assert.is_nil(res)
            assert.equal("UNABLE_TO_GET_ISSUER_CERT_LOCALLY", code)
            pair.raises(function() http.get(address, { tls = { x = 1 } }) end,
                "origin_spec.*no option 'x'")
        end, { tls = tls.server() }))

    it("understands openssl's server", function()
        if helper.injected then
            return -- a byte at a time is for the other specs
        end
        certs.issue "server"
        quoll.run(function()
            local one = command.start("openssl s_server -accept 127.0.0.1:0 "
                .. "-naccept 1 -www -cert server.pem -key server.key", true)
            local port = one:expect("^ACCEPT"):match "127%.0%.0%.1:(%d+)"
            local res = assert(http.get("https://localhost:" .. port,
                trusting()))
            assert.equal("1.0", res.version)
            assert.matches("Ciphers supported", (res:body()))
            one:finish()
        end)
    end)

    it("goes over a unix socket", peer.with({ OK }, function(_, heard)
        assert.equal("ok", assert(http.get("http://a.example/b",
            { unix = pair.name() })):body())
        assert.matches("^GET /b HTTP/1.1\r\nHost: a.example\r\n",
            heard[1].head)
    end, { address = pair.name() }))

    it("asks a proxy", peer.with({ OK, OK }, function(url, heard)
        local proxy = url:gsub("//", "//me:x@")
        for _, host in ipairs { "a.example", "b.example" } do
            assert.equal("ok", assert(http.get("http://" .. host .. "/c",
                { proxy = proxy })):body())
        end
        assert.matches("^GET http://a.example/c HTTP/1.1\r\n"
            .. "Host: a.example\r\n.*\r\nProxy%-Authorization: Basic bWU6eA==",
            heard[1].head)
        assert.equal(1, heard[2].conn)
    end))

    it("goes through a proxy with TLS", peer.with({ OK, OK },
        function(url, heard)
            local way = peer.tunnel_to(url:match "//(.*)")
            peer.serve({ way }, function(proxy, asked)
                for _ = 1, 2 do
                    assert.equal("ok", assert(http.get("https://localhost/",
                        trusting { proxy = proxy:gsub("//", "//u:p@") }))
                        :body())
                end
                assert.equal(1, heard[2].conn)
                assert.matches("^CONNECT localhost:443 HTTP/1.1\r\n"
                    .. "Host: localhost:443\r\nProxy%-Authorization: Basic "
                    .. "dTpw\r\n\r\n$", asked[1].head)
                assert.is_nil(heard[1].head:find "Proxy")
            end)
        end, { tls = tls.server() }))

    it("tells a stream that was cut from one that has ended", function()
        local function endless(conn)
            conn:send "HTTP/1.0 200 OK\r\n\r\nhello"
            conn:receive "*a"
            return false
        end
        local seen = {}
        quoll.run(function()
            peer.serve({ endless, { "HTTP/1.0 200 OK\r\n\r\nhello" } },
                function(url)
                    local way = peer.tunnel_to(url:match "//(.*)", seen)
                    peer.serve({ way, way }, function(proxy)
                        local opts = trusting { proxy = proxy, pool = false }
                        local res = assert(http.get("https://localhost/", opts))
                        assert.truthy(("hello"):find(res:chunks(5)(), 1,
                            true))
                        seen.conn:close()
                        assert.equal("ETRUNCATED", select(3, res:body()))
                        assert.equal("hello", assert(http.get(
                            "https://localhost/", opts)):body())
                    end)
                end, { tls = tls.server() })
        end)
    end)

    it("says what the proxy says", peer.with({
        "HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n", { "" } },
        function(url)
            assert.same({ nil, "proxy: 407 Who", "EPROXY" },
                { http.get("https://a.example/", { proxy = url }) })
            assert.same({ nil, "proxy: closed", "CLOSED" },
                { http.get("https://a.example/", { proxy = url }) })
            assert.same({ nil, "proxy: connection refused", "ECONNREFUSED" },
                { http.get("http://a.example/", { proxy = "127.0.0.1:1" }) })
        end))

    it("refuses bad pools", function()
        for _, bad in ipairs { 5, { x = 1 }, print } do
            pair.raises(function()
                http.get("http://127.0.0.1:1/", { pool = bad })
            end, "origin_spec.*bad argument ")
        end
    end)
end)
