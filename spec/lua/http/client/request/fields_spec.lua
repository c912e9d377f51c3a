local field = require "quoll.http.syntax.field"
local fields = require "quoll.http.client.request.fields"
local helper = require "spec.helper"
local pair = require "spec.support.pair"

describe("quoll.http.client.request.fields", function()
    helper.gates()

    it("writes them as they were given, Host first", function()
        local made = fields.make { ["x-B"] = { "1", 2 }, Host = "a",
            Accept = "*/*" }
        assert.equal("Host: a\r\nAccept: */*\r\nx-B: 1\r\nx-B: 2\r\n",
            fields.write(made))
        assert.equal("", fields.write(fields.make {}))
    end)

    it("has the caller's before the defaults, in any case", function()
        local defaults = fields.make { A = "1", B = "2", C = "3" }
        local made = fields.make({ a = "x", b = false }, defaults)
        fields.default(made, "B", "y")
        fields.default(made, "D", "z")
        fields.default(made, "E", nil)
        assert.equal("a: x\r\nC: 3\r\nD: z\r\n", fields.write(made))
        assert.equal("A: 1\r\nB: 2\r\nC: 3\r\n", fields.write(defaults))
    end)

    it("refuses what is not one field", function()
        for byte = 0, 255 do
            local char = string.char(byte)
            local ok = pcall(fields.make, { a = "b" .. char .. "c" })
            assert.equal(byte == 9 or byte >= 32 and byte ~= 127, ok, byte)
            assert.equal(field.is_token(char),
                (pcall(fields.make, { ["a" .. char] = "b" })), byte)
        end
        for _, bad in ipairs { { [""] = "x" }, { [1] = "x" }, { a = {} , b =
            true }, { a = { { "x" } } }, { ["Transfer-Encoding"] = "chunked" },
            { a = { "x", "y\nz" } } } do
            pair.raises(function() fields.make(bad) end,
                "fields_spec.*bad argument 'headers' to 'request'")
        end
    end)
end)
