local helper = require "spec.helper"
local pair = require "spec.support.pair"
local proxy = require "quoll.http.client.proxy"
local url = require "quoll.http.client.url"

local function bypassed(list, text)
    return proxy.bypassed(list, url.parse(text))
end

describe("quoll.http.client.proxy", function()
    helper.gates()

    it("is what was said", function()
        local target = url.parse "http://a.example/"
        assert.is_nil(proxy.choose(nil, target))
        assert.is_nil(proxy.choose(false, target))
        assert.equal("p:3128", url.address(proxy.choose("p:3128", target)))
        assert.equal("p:80", url.address(proxy.choose("http://p", target)))
        local setting = { url = "http://me:x@p", no_proxy = "b.example" }
        local via = proxy.choose(setting, target)
        assert.equal("Basic bWU6eA==", proxy.credentials(via))
        assert.is_nil(proxy.choose(setting, url.parse "http://b.example/"))
        assert.is_nil(proxy.credentials(target))
    end)

    it("sees nothing but plain HTTP", function()
        for text, expected in pairs { ["http://a"] = false,
            ["https://a"] = true, ["ws://a"] = true, ["wss://a"] = true }
        do
            assert.equal(expected, proxy.tunnels(url.parse(text)), text)
        end
    end)

    it("passes by what no_proxy names", function()
        for _, case in ipairs {
            { "a.example", "http://a.example/", true },
            { ".a.example", "http://a.example/", true },
            { "*.a.example", "http://b.a.example/", true },
            { "A.example", "http://b.c.a.example/", true },
            { "a.example", "http://ba.example/", false },
            { "x, a.example:81 y", "http://a.example:81/", true },
            { "a.example:81", "http://a.example/", false },
            { "*", "https://anything/", true },
            { "10.0.0.0/8,::1", "http://10.1.2.3/", true },
            { "10.0.0.0/8", "http://11.1.2.3/", false },
            { "::1", "http://[::1]/", true },
            { "0.1", "http://10.0.0.1/", false },
            { "", "http://a.example/", false },
        } do
            assert.equal(case[3], bypassed(case[1], case[2]), case[1])
        end
    end)

    it("asks the environment only when told to", function()
        local result = helper.script([[
            require "quoll"
            local proxy = require "quoll.http.client.proxy"
            local url = require "quoll.http.client.url"
            for _, text in ipairs { "http://a.example", "https://a.example",
                "http://b.example" } do
                local via = proxy.choose(true, url.parse(text))
                print(via and url.address(via),
                    proxy.choose(nil, url.parse(text)))
            end
        ]], {}, { env = { http_proxy = "http://one:1", HTTP_PROXY =
            "http://evil:1", HTTPS_PROXY = "two:2", no_proxy = "b.example" } })
        assert.equal("one:1\tnil\ntwo:2\tnil\nnil\tnil\n", result.out,
            result.err)
    end)

    it("refuses what is none", function()
        local target = url.parse "http://a.example/"
        for _, bad in ipairs { "https://p", "socks5://p", "http://p\r\n", 5,
            { url = "ftp://x" }, { host = "p" } } do
            pair.raises(function() proxy.choose(bad, target) end,
                "proxy_spec.*bad argument ")
        end
    end)
end)
