local helper = require "spec.helper"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local function list(texts)
    local addrs = ffi.new("ql_sockaddr_t[?]", #texts)
    for i, text in ipairs(texts) do
        addrs[i - 1] = helper.address(text:find(":", 1, true)
            and "[" .. text .. "]:0" or text .. ":0")
    end
    return addrs
end

local function texts_of(addrs, n)
    local buf = ffi.new("char[?]", C.QL_SOCKADDR_STRLEN)
    local texts = {}
    for i = 0, n - 1 do
        local text = ffi.string(C.ql_sockaddr_text(addrs[i].u.sa,
            addrs[i].len, buf))
        texts[i + 1] = text:match "^%[?(.-)%]?:0$"
    end
    return texts
end

local function sorted(loop, texts)
    local addrs = list(texts)
    assert.equal(C.NGX_OK, C.ql_sockaddr_sort(loop, addrs, #texts))
    return texts_of(addrs, #texts)
end

describe("ql_sockaddr_sort", function()
    it("keeps the order of addresses that are as good", forked(function()
        local loop = helper.loop()
        local texts = { "127.0.0.3", "127.0.0.1", "127.0.0.2" }
        assert.same(texts, sorted(loop, texts))
        assert.same({ "127.0.0.1" }, sorted(loop, { "127.0.0.1" }))
        assert.equal(C.NGX_OK, C.ql_sockaddr_sort(loop, nil, 0))
    end))

    it("puts what cannot be reached last", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        inject.ql_inject_fail("connect", -1, 1, 1, 101)
        assert.same({ "127.0.0.2", "127.0.0.3", "127.0.0.1" },
            sorted(loop, { "127.0.0.1", "127.0.0.2", "127.0.0.3" }))
    end))

    it("prefers IPv6, then what is nearer", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        -- Nothing can be reached: the policy alone decides.
        inject.ql_inject_fail("connect", -1, 1, 100, 101)
        assert.same({
            "::1", "fe80::1", "2400:cb00::1", "127.0.0.1", "192.0.2.1",
            "2002:c000:201::1", "2001::1", "fc00::1", "fec0::1",
            "3ffe::1",
        }, sorted(loop, {
            "3ffe::1", "192.0.2.1", "fc00::1", "2001::1", "127.0.0.1",
            "2400:cb00::1", "fec0::1", "2002:c000:201::1", "fe80::1", "::1",
        }))
    end))

    it("leaves no descriptor, and survives a lack of them", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        inject.ql_inject_fail("socket", -1, 1, 2, helper.errno.EMFILE)
        assert.same({ "127.0.0.1", "127.0.0.2" },
            sorted(loop, { "127.0.0.1", "127.0.0.2" }))
    end))

    it("leaves the addresses alone without memory", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local addrs = list { "192.0.2.1", "::1" }
        inject.ql_inject_fail("malloc", -1, 1, 1, helper.errno.ENOMEM)
        assert.equal(C.NGX_ERROR, C.ql_sockaddr_sort(loop, addrs, 2))
        assert.equal(helper.errno.ENOMEM, ffi.errno())
        assert.same({ "192.0.2.1", "::1" }, texts_of(addrs, 2))
    end))
end)
