local date = require "quoll.http.syntax.date"

describe("quoll.http.syntax.date", function()
    it("writes", function()
        assert.equal("Sun, 06 Nov 1994 08:49:37 GMT", date.format(784111777))
        assert.equal("Thu, 01 Jan 1970 00:00:00 GMT", date.format(0.999))
        assert.equal("Wed, 31 Dec 1969 23:59:59 GMT", date.format(-0.5))
    end)

    it("reads the three forms", function()
        for _, text in ipairs { "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994" }
        do
            assert.equal(784111777, date.parse(text), text)
        end
    end)

    it("reads what it writes", function()
        for time = -2e9, 8e9, 12345678 do
            assert.equal(time, date.parse(date.format(time)))
        end
        local leap_day = "Thu, 29 Feb 2024 00:00:00 GMT"
        assert.equal(leap_day, date.format(date.parse(leap_day)))
    end)

    it("takes a year of two digits for a near one", function()
        local function year(t)
            return os.date("!*t", t).year
        end
        local now = os.date("!*t").year
        for ahead = -49, 50 do
            local text = ("Monday, 01-Jun-%02d 00:00:00 GMT"):format(
                (now + ahead) % 100)
            assert.equal(now + ahead, year(date.parse(text)))
        end
    end)

    it("refuses what is none", function()
        for _, text in ipairs { "", "yesterday",
            "Sun, 06 Nov 1994 08:49:37", "sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 31 Nov 1994 08:49:37 GMT", "Wed, 29 Feb 2023 00:00:00 GMT",
            "Thu, 29 Feb 1900 00:00:00 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT ", "784111777" }
        do
            assert.is_nil(date.parse(text), text)
        end
    end)
end)
