local date = require "quoll.http.client.jar.date"

describe("quoll.http.client.jar.date", function()
    it("reads what servers send", function()
        for _, text in ipairs { "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
            "Sun, 6-NOVEMBER-1994 8:49:37", "1994 nov 6 08:49:37 GMT" } do
            assert.equal(784111777, date.parse(text), text)
        end
        assert.equal(0, date.parse "Thu, 01 Jan 1970 00:00:00 GMT")
        assert.equal(951827696, date.parse "Tue, 29 Feb 2000 12:34:56 GMT")
        assert.equal(4102444799, date.parse "Thu, 31 Dec 2099 23:59:59 GMT")
        assert.equal(-11644473600, date.parse "Mon, 01 Jan 1601 00:00:00 GMT")
    end)

    it("agrees with the C library, day by day", function()
        for days = 0, 40000, 13 do
            local t = days * 86400 + days % 86400
            assert.equal(t, date.parse(os.date("!%a, %d %b %Y %H:%M:%S GMT",
                t)))
        end
    end)

    it("refuses what is none", function()
        for _, text in ipairs { "", "0", "Sun, 06 Nov 1994", "08:49:37 1994",
            "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1600 08:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT", "0 Nov 1994 08:49:37" } do
            assert.is_nil(date.parse(text), text)
        end
    end)
end)
