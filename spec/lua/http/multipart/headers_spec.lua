local headers = require "quoll.http.multipart.headers"

describe("quoll.http.multipart.headers", function()
    it("parses lines", function()
        assert.same({ ["a-b"] = "c d", e = "" },
            headers.parse "A-B:  c d \r\ne:\r\n")
        assert.same({}, headers.parse "")
    end)

    it("refuses what is no header", function()
        for _, bad in ipairs { "a\r\n", "a : b\r\n", ": b\r\n", "a: b\n",
            "a: b\r\n c\r\n", "a: \0\r\n", "a: b\r\na: c\r\n", "\r\n",
            "a: \127\r\n" } do
            assert.is_nil(headers.parse(bad), bad)
        end
    end)

    local function describe_part(value)
        return headers.describe { ["content-disposition"] = value }
    end

    it("tells fields from files", function()
        assert.is_nil(describe_part('form-data; name="a"').filename)
        for given, expected in pairs { ["b.txt"] = "b.txt", [""] = "",
            ["/etc/passwd"] = "passwd", ["C:\\dir\\c.txt"] = "c.txt",
            [".."] = "", ["../.."] = "", ["x/"] = "" } do
            local part = describe_part('form-data; name="a"; filename="'
                .. given .. '"')
            assert.equal("a", part.name)
            assert.equal(expected, part.filename)
        end
    end)

    it("refuses what is no field of a form", function()
        for _, bad in ipairs { "", "attachment; name=a", "form-data",
            'form-data; name="a"; name="b"', 'form-data; name="a',
            'form-data; filename="b"' } do
            assert.is_nil(describe_part(bad), bad)
        end
        assert.is_nil(headers.describe {})
    end)
end)
