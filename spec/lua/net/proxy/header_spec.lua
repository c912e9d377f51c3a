local header = require "quoll.net.proxy.header"

local SIGNATURE = "\r\n\r\n\0\r\nQUIT\n"

local function v2(command, family, rest)
    return SIGNATURE .. command .. family
        .. string.char(math.floor(#rest / 256), #rest % 256) .. rest
end

local V4 = "\1\2\3\4\127\0\0\1\0\80\1\187"

local function refused(why, bytes)
    local info, reason = header.parse_v2(bytes)
    assert.is_nil(info)
    assert.equal(why, reason)
end

describe("version 1", function()
    it("is read", function()
        assert.same({
            version = 1, command = "PROXY", family = "inet",
            transport = "stream", source = "1.2.3.4", sourceport = 80,
            destination = "127.0.0.1", destinationport = 443,
        }, header.parse_v1 "PROXY TCP4 1.2.3.4 127.0.0.1 80 443")
        local info = header.parse_v1("PROXY TCP6 2001:DB8::1 ::1 0 65535")
        assert.equal("2001:db8::1", info.source)
        assert.equal(65535, info.destinationport)
        for _, line in ipairs { "PROXY UNKNOWN",
            "PROXY UNKNOWN ffff:f::ffff whatever 1 2" } do
            assert.same({ version = 1, command = "PROXY" },
                header.parse_v1(line))
        end
    end)

    it("is refused", function()
        for line, why in pairs {
            ["PROXY"] = "no such line", ["PROXY UNKNOWNX"] = "no such line",
            ["PROXY TCP5 1.2.3.4 1.2.3.4 1 2"] = "no such line",
            ["PROXY TCP4  1.2.3.4 1.2.3.4 1 2"] = "no such line",
            ["PROXY TCP4 1.2.3.4 1.2.3.4 1"] = "no such line",
            ["PROXY TCP4 1.2.3.4 1.2.3.4 1 2 "] = "no such line",
            ["PROXY TCP4 1.2.3.4 1.2.3.4 -1 2"] = "no such line",
            ["PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2"] = "no such line",
            ["PROXY TCP4 1.2.3.400 1.2.3.4 1 2"] = "bad address",
            ["PROXY TCP4 ::1 ::1 1 2"] = "bad address",
            ["PROXY TCP6 1.2.3.4 1.2.3.4 1 2"] = "bad address",
            ["PROXY TCP4 1.2.3.4 1.2.3.4 65536 2"] = "bad port",
            ["PROXY TCP4 1.2.3.4 1.2.3.4 1 02"] = "bad port",
            ["PROXY TCP4 1.2.3.4 1.2.3.4 1 000000000002"] = "bad port",
        } do
            local info, reason = header.parse_v1(line)
            assert.is_nil(info)
            assert.equal(why, reason, line)
        end
    end)

    it("is written", function()
        assert.equal("PROXY UNKNOWN\r\n", header.v1 {})
        assert.equal("PROXY TCP6 ::ffff:1.2.3.4 ::1 5 6\r\n", header.v1 {
            source = "1.2.3.4", sourceport = 5,
            destination = "::1", destinationport = 6,
        })
    end)
end)

describe("version 2", function()
    it("is read", function()
        assert.same({
            version = 2, command = "PROXY", family = "inet",
            transport = "stream", source = "1.2.3.4", sourceport = 80,
            destination = "127.0.0.1", destinationport = 443, tlvs = {},
        }, header.parse_v2(v2("\33", "\17", V4)))
        local info = header.parse_v2(v2("\33", "\33",
            ("\0"):rep(15) .. "\1" .. ("\0"):rep(16) .. "\0\1\0\2"))
        assert.equal("::1", info.source)
        assert.equal("::", info.destination)
        info = header.parse_v2(v2("\33", "\49", "/a/b" .. ("\0"):rep(104)
            .. "\0name" .. ("\0"):rep(103)))
        assert.equal("unix:/a/b", info.source)
        assert.equal("unix:@name", info.destination)
    end)

    it("has no addresses when it is local or of no family", function()
        assert.same({ version = 2, command = "LOCAL" },
            header.parse_v2(v2("\32", "\0", "")))
        assert.same({ version = 2, command = "LOCAL" },
            header.parse_v2(v2("\32", "\17", "\3\0"))) -- whatever follows
        assert.same({ version = 2, command = "PROXY", tlvs = {} },
            header.parse_v2(v2("\33", "\0", "")))
        assert.is_nil(header.parse_v2(v2("\33", "\16", V4)).source)
    end)

    it("tells what its TLVs say", function()
        local ssl = "\5\0\0\0\0\33\0\7TLSv1.3\34\0\2me\99\0\0"
        local info = header.parse_v2(v2("\33", "\17", V4 .. "\1\0\2h2"
            .. "\2\0\1x\4\0\3\0\0\0\5\0\2id\48\0\2ns\32\0"
            .. string.char(#ssl) .. ssl .. "\234\0\1y"))
        assert.equal("h2", info.alpn)
        assert.equal("x", info.authority)
        assert.equal("id", info.uniqueid)
        assert.equal("ns", info.netns)
        assert.same({ ssl = true, cert_conn = false, cert_sess = true,
            verified = true, version = "TLSv1.3", cn = "me" }, info.ssl)
        assert.equal("y", info.tlvs[234])
    end)

    it("is refused", function()
        refused("too short for its addresses", v2("\33", "\17", V4:sub(2)))
        refused("a TLV that is cut", v2("\33", "\17", V4 .. "\1"))
        refused("a TLV that is cut", v2("\33", "\17", V4 .. "\1\0\2x"))
        refused("a TLV that is wrong", v2("\33", "\17", V4 .. "\32\0\1x"))
        refused("a TLV that is wrong", v2("\33", "\17", V4
            .. "\32\0\8\0\0\0\0\0\33\0\9"))
        refused("a TLV that is wrong", v2("\33", "\17", V4 .. "\5\0\129"
            .. ("x"):rep(129)))
        refused("bad checksum", v2("\33", "\17", V4 .. "\3\0\4\0\0\0\0"))
        refused("bad checksum", v2("\33", "\17", V4 .. "\3\0\1\0"))
        for start, why in pairs { ["\17\17"] = "bad version or command",
            ["\34\17"] = "bad version or command",
            ["\33\65"] = "bad address family",
            ["\33\19"] = "bad address family" } do
            assert.equal(why, select(2,
                header.parse_v2_start(SIGNATURE .. start .. "\0\0")))
        end
    end)

    it("is written with its checksum", function()
        local given = {
            source = "1.2.3.4", sourceport = 5, destination = "::1",
            destinationport = 6, alpn = "h2", authority = "x", uniqueid = "id",
            tlvs = { [234] = "y" },
        }
        local info = header.parse_v2(header.v2(given))
        assert.equal(4, #info.tlvs[3])
        assert.equal("::ffff:1.2.3.4", info.source)
        for _, name in ipairs { "sourceport", "destination", "alpn",
            "authority", "uniqueid" } do
            assert.equal(given[name], info[name])
        end
        assert.equal("y", info.tlvs[234])
        info = header.parse_v2(header.v2 {
            source = "unix:/a", destination = "unix:@b",
        })
        assert.equal("unix:/a", info.source)
        assert.equal("unix:@b", info.destination)
        assert.equal("LOCAL",
            header.parse_v2(header.v2 { command = "LOCAL" }).command)
    end)
end)
