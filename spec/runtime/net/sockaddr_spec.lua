local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C = helper.ffi, helper.C
local forked = helper.forked

local HEAD = 2 -- of a unix address: its family

-- The code, the address, the message.
local function parse(text)
    local addr = ffi.new("ql_sockaddr_t")
    local err = ffi.new("const char *[1]")
    local rc = C.ql_sockaddr_parse(text, addr, err)
    return rc, addr, err[0] ~= nil and ffi.string(err[0]) or nil
end

local function text_of(addr, len)
    local buf = ffi.new("char[?]", C.QL_SOCKADDR_STRLEN + 1)
    buf[C.QL_SOCKADDR_STRLEN] = 0x55
    local text = C.ql_sockaddr_text(addr.u.sa, len or addr.len, buf)
    assert.is_true(text == buf)
    assert.equal(0x55, buf[C.QL_SOCKADDR_STRLEN])
    return ffi.string(text)
end

describe("ql_sockaddr_parse", function()
    local round_trips = {
        ["127.0.0.1:80"] = "127.0.0.1:80",
        ["0.0.0.0:0"] = "0.0.0.0:0",
        ["255.255.255.255:65535"] = "255.255.255.255:65535",
        [":8080"] = "0.0.0.0:8080",
        ["localhost:1"] = "127.0.0.1:1",
        ["10.0.0.1:007"] = "10.0.0.1:7",
        ["[::1]:0"] = "[::1]:0",
        ["[::]:443"] = "[::]:443",
        ["[2001:DB8:0:0:0:0:0:1]:1"] = "[2001:db8::1]:1",
        ["[::ffff:1.2.3.4]:5"] = "[::ffff:1.2.3.4]:5",
        ["unix:/tmp/a.sock"] = "unix:/tmp/a.sock",
        ["unix:relative"] = "unix:relative",
        ["unix:/with:colon"] = "unix:/with:colon",
        ["unix:/with space"] = "unix:/with space",
        ["unix:@name"] = "unix:@name",
        ["unix:@a@b"] = "unix:@a@b",
    }

    for text, expected in pairs(round_trips) do
        it("takes " .. text, forked(function()
            local rc, addr = parse(text)
            assert.equal(C.NGX_OK, rc)
            assert.equal(expected, text_of(addr))
            local again
            rc, again = parse(expected)
            assert.equal(C.NGX_OK, rc)
            assert.equal(addr.len, again.len)
            assert.equal(ffi.string(addr.u.sa, addr.len),
                ffi.string(again.u.sa, again.len))
        end))
    end

    for _, text in ipairs { "example.com:80", "a:1", "my-host_1.local:65535",
        "1host:9", "LOCALHOST:1" } do
        it("declines the host name of " .. text, forked(function()
            assert.equal(C.NGX_DECLINED, (parse(text)))
        end))
    end

    it("keeps the port of a name that it declines", forked(function()
        local _, addr = parse("example.com:258")
        assert.equal(0x0201, addr.u["in"].sin_port) -- 258, big-endian
    end))

    local port = "no port from 0 to 65535"
    local malformed = {
        { "", port }, { "127.0.0.1", port }, { "127.0.0.1:", port },
        { "127.0.0.1:65536", port }, { "127.0.0.1:-1", port },
        { "127.0.0.1:+1", port }, { "127.0.0.1: 1", port },
        { "127.0.0.1:1 ", port }, { "127.0.0.1:0x1", port },
        { "127.0.0.1:99999", port }, { "127.0.0.1:100000", port },
        { "127.0.0.1:000080", port }, { "127.0.0.1:http", port },
        { "127.0.0.1:8\n", port }, { ":", port }, { "[::1]", port },
        { "256.0.0.1:1", "bad IPv4" }, { "1.2.3:1", "bad IPv4" },
        { "1.2.3.4.5:1", "bad IPv4" }, { "1..2.3:1", "bad IPv4" },
        { "1.2.3.4.:1", "bad IPv4" }, { "01.2.3.4:1", "bad IPv4" },
        { "[:::1]:1", "bad IPv6" }, { "[]:1", "bad IPv6" },
        { "[1.2.3.4]:1", "bad IPv6" }, { "[::g]:1", "bad IPv6" },
        { "[::1%lo]:1", "bad IPv6" },
        { "::1:1", "not in brackets" }, { "fe80::1:80", "not in brackets" },
        { "a b:1", "bad host name" }, { "a/b:1", "bad host name" },
        { "[::1:1", "bad host name" }, { "h\195\182st:1", "bad host name" },
        { "http://x:1", "brackets" },
        { ("x"):rep(256) .. ":1", "host name too long" },
        { "unix:", "no path" }, { "unix:@", "no path" },
        { "unix:/" .. ("x"):rep(107), "longer than 107" },
        { "unix:@" .. ("x"):rep(107), "longer than 107" },
    }

    for _, case in ipairs(malformed) do
        it(("refuses %q"):format(case[1]:sub(1, 30)), forked(function()
            local rc, _, err = parse(case[1])
            assert.equal(C.NGX_ERROR, rc)
            assert.matches(case[2], err)
        end))
    end

    it("takes the longest names", forked(function()
        local path = "unix:/" .. ("x"):rep(106)
        local rc, addr = parse(path)
        assert.equal(C.NGX_OK, rc)
        assert.equal(HEAD + 108, addr.len)
        assert.equal(path, text_of(addr))
        local name = "unix:@" .. ("y"):rep(106)
        rc, addr = parse(name)
        assert.equal(C.NGX_OK, rc)
        assert.equal(HEAD + 107, addr.len)
        assert.equal(name, text_of(addr))
        assert.equal(C.NGX_DECLINED, (parse(("h"):rep(255) .. ":1")))
    end))

    it("gives an abstract name no more than its bytes", forked(function()
        local _, addr = parse("unix:@ab")
        assert.equal(HEAD + 3, addr.len)
        assert.equal(0, addr.u.un.sun_path[0])
    end))

    it("writes the family and the port in network order", forked(function()
        local _, addr = parse("1.2.3.4:258")
        assert.equal(sockets.AF_INET, addr.u.sa.sa_family)
        assert.equal("\1\2\1\2\3\4", ffi.string(
            ffi.cast("char *", addr.u.sa) + 2, 6))
        assert.equal(ffi.sizeof("struct sockaddr_in"), addr.len)
    end))

    it("survives any bytes", forked(function()
        math.randomseed(7)
        local alphabet = { ":", "[", "]", ".", "@", "unix:", "1", "255", "x",
            "%", "\0", "\255", " ", "/", "::", "65535" }
        for _ = 1, 20000 do
            local parts = {}
            for i = 1, math.random(0, 12) do
                parts[i] = alphabet[math.random(#alphabet)]
            end
            local rc, addr, err = parse(table.concat(parts))
            if rc == C.NGX_OK then
                assert.equal("string", type(text_of(addr)))
            elseif rc == C.NGX_ERROR then
                assert.is_string(err)
            else
                assert.equal(C.NGX_DECLINED, rc)
            end
        end
    end))
end)

describe("ql_sockaddr_text", function()
    it("shows a unix socket without a name", forked(function()
        local addr = ffi.new("ql_sockaddr_t")
        addr.u.sa.sa_family = sockets.AF_UNIX
        assert.equal("unix:", text_of(addr, 2))
        assert.equal("unix:", text_of(addr, 0))
    end))

    it("needs no NUL at the end of a path", forked(function()
        local addr = ffi.new("ql_sockaddr_t")
        addr.u.un.sun_family = sockets.AF_UNIX
        ffi.copy(addr.u.un.sun_path, ("p"):rep(108), 108)
        assert.equal("unix:" .. ("p"):rep(108), text_of(addr, HEAD + 108))
    end))

    it("fits the longest IPv6 address", forked(function()
        local text = "[" .. ("ffff:"):rep(7) .. "ffff]:65535"
        local _, addr = parse(text)
        assert.equal(text, text_of(addr))
    end))

    it("names a family it does not know", forked(function()
        local addr = ffi.new("ql_sockaddr_t")
        addr.u.sa.sa_family = 38
        assert.equal("family 38", text_of(addr, 16))
    end))

    it("agrees with the kernel", forked(function()
        for _, text in ipairs { "127.0.0.1:0", "[::1]:0", "unix:@spec-text-"
            .. ffi.C.getpid() } do
            local fd, addr = sockets.listen(text)
            local shown = text_of(addr)
            local client = sockets.connect(helper.address(shown))
            assert.equal(shown, text_of(sockets.name(fd)))
            ffi.C.close(client)
            ffi.C.close(fd)
        end
    end))
end)
