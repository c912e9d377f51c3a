local helper = require "spec.helper"
local pair = require "spec.support.pair"
local peer = require "spec.support.http_peer"
local quoll = require "quoll"

local http = quoll.http
local OK = peer.answer "ok"

describe("quoll.http.client", function()
    helper.gates()

    it("has a function for each method", peer.with({ OK,
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", OK, OK, OK, OK, OK },
        function(url, heard)
        assert(http.get(url)):body()
        assert(http.head(url)):body()
        assert(http.delete(url)):body()
        assert(http.post(url, "a")):body()
        assert(http.put(url, "b")):body()
        assert(http.patch(url, "c")):body()
        assert(http.request(url, { method = "PURGE" })):body()
        for i, method in ipairs { "GET", "HEAD", "DELETE", "POST", "PUT",
            "PATCH", "PURGE" } do
            assert.matches("^" .. method .. " / HTTP/1.1\r\n", heard[i].head)
        end
        assert.equal("c", heard[6].body)
    end))

    it("sends forms, files and JSON, and tells how far it is", peer.with({ OK,
        OK, OK, OK }, function(url, heard)
        local path, told = helper.root .. "/README.md", nil
        local file = assert(quoll.open(path))
        local opts = { progress = function(n, total) told = { n, total } end }
        assert(http.put(url, file, opts)):body()
        local size = file:size()
        assert.same({ size, size }, told)
        assert.equal(size, #heard[1].body)
        opts.multipart = { a = "b", { name = "f", path = path } }
        assert(http.post(url, nil, opts)):body()
        assert.equal(#heard[2].body, told[1])
        assert.truthy(heard[2].body:find(heard[1].body, 1, true))
        assert(http.post(url, nil, { form = { a = "b c" } })):body()
        assert.equal("a=b%20c", heard[3].body)
        assert(http.post(url, nil, { json = { a = { 1 } } })):body()
        assert.equal('{"a":[1]}', heard[4].body)
        file:close()
    end))

    it("has clients with defaults", peer.with({ OK, OK }, function(url, heard)
        local api = http.client { base = url .. "/v1/", headers = { A = "1",
            B = "2" }, timeout = peer.PATIENCE }
        assert(api:get "users"):body()
        assert(api:post("/x?y", "z", { headers = { b = false, C = "3" },
            query = { a = 1 } })):body()
        assert.matches("^GET /v1/users .*\r\nA: 1\r\n.*\r\nB: 2\r\n",
            heard[1].head)
        assert.matches("^POST /x%?y&a=1 .*\r\nA: 1\r\n.*\r\nC: 3\r\n",
            heard[2].head)
        assert.is_nil(heard[2].head:lower():find "\r\nb:")
    end))

    it("closes the files that it opens", peer.with({ { "" } },
        function(url)
            local before = quoll.stats().files.live
            assert.is_nil((http.post(url, nil, { multipart = { { name = "f",
                path = helper.root .. "/README.md" } } })))
            assert.equal(before, quoll.stats().files.live)
        end))

    it("fails as connections do", function()
        assert.same({ nil, "connection refused", "ECONNREFUSED" },
            { http.get "http://127.0.0.1:1/" })
        assert.same({ nil, "timeout", "TIMEOUT" },
            { http.get("http://127.0.0.1:1/", { timeout = 0 }) })
    end)

    it("refuses bad options at the caller's line", function()
        for name, bad in pairs { x = 1, timeout = -1, deadline = -1,
            redirects = -1, retries = -1, jar = {}, progress = 5,
            headers = 5, limits = { line = -1 }, base = 5, tls = { x = 1 },
            max = "x", unix = 5, proxy = 5, method = 5, form = "x" } do
            pair.raises(function()
                http.request("https://127.0.0.1:1/", { [name] = bad })
            end, "http/client/init_spec.*bad argument ")
        end
        pair.raises(function()
            http.get("http://127.0.0.1:1/", { limits = { x = 1 } })
        end, "no option 'x'")
        pair.raises(function() http.get() end,
            "http/client/init_spec.*bad argument 'url' to 'request'")
        pair.raises(function() http.client { method = "GET" } end,
            "no option 'method'")
    end)
end)
