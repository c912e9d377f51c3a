local ip = require "quoll.net.ip"

describe("quoll.net.ip", function()
    it("reads addresses and writes them in their usual form", function()
        for text, usual in pairs {
            ["0.0.0.0"] = true, ["255.255.255.255"] = true, ["::"] = true,
            ["::1"] = true, ["1::"] = true, ["2001:db8::1"] = true,
            ["2001:DB8:0:0:0:0:0:1"] = "2001:db8::1",
            ["1:0:0:2:0:0:0:3"] = "1:0:0:2::3", ["1:2:3:4:5:6:7:8"] = true,
            ["1:0:2:3:4:5:6:7"] = true, ["::ffff:1.2.3.4"] = true,
            ["::1.2.3.4"] = "::102:304", ["64:ff9b::1.2.3.4"] =
            "64:ff9b::102:304", ["1:2:3:4:5:6:1.2.3.4"] =
            "1:2:3:4:5:6:102:304", ["::2:3:4:5:6:7:8"] = false,
        } do
            local bytes = ip.parse(text)
            if usual then
                assert.equal(usual == true and text or usual, ip.format(bytes))
            end
        end
    end)

    it("refuses what is none", function()
        for _, text in ipairs { "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256",
            "01.2.3.4", "1.2.3.4 ", ":", ":::", "1:2", "1:2:3:4:5:6:7:8:9",
            "1::2::3", "12345::", "::g", "1:2:3:4:5:6:7::8:9", "::1.2.3",
            "1.2.3.4::", "::1/64", "1:2:3:4:5:6:7:" } do
            assert.is_nil(ip.parse(text), text)
        end
    end)

    it("says what is in a network", function()
        local function within(network, address)
            return ip.network(network)(ip.parse(address))
        end
        assert.is_true(within("10.0.0.0/8", "10.255.1.2"))
        assert.is_false(within("10.0.0.0/8", "11.0.0.0"))
        assert.is_true(within("10.0.0.0/8", "::ffff:10.1.2.3"))
        assert.is_true(within("10.16.0.0/12", "10.31.255.255"))
        assert.is_false(within("10.16.0.0/12", "10.32.0.0"))
        assert.is_true(within("0.0.0.0/0", "1.2.3.4"))
        assert.is_false(within("0.0.0.0/0", "::1"))
        assert.is_true(within("::/0", "1.2.3.4"))
        assert.is_true(within("2001:db8::/33", "2001:db8:7fff::"))
        assert.is_false(within("2001:db8::/33", "2001:db8:8000::"))
        assert.is_true(within("::1", "::1"))
        assert.is_false(within("127.0.0.1", "127.0.0.2"))
        for _, text in ipairs { "x", "1.2.3.4/33", "::/129", "1.2.3.4/",
            "/8", "1.2.3.4/-1" } do
            assert.is_nil(ip.network(text), text)
        end
    end)
end)
