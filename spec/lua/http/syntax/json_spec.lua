local helper = require "spec.helper"
local json = require "quoll.http.syntax.json"

describe("quoll.http.syntax.json", function()
    it("keeps values", function()
        for _, value in ipairs { 0.1, 1e13, "a\0\"é", true,
            { 1, 2, { a = "b" } }, -1e300 } do
            assert.same(value, json.decode(assert(json.encode(value))))
        end
    end)

    it("tells what is no JSON", function()
        for _, bad in ipairs { "", "{", "nan", "[1,]", "0x10", "{}x",
            ("["):rep(2000) } do
            local value, err, code = json.decode(bad)
            assert.is_nil(value)
            assert.matches("^invalid json: ", err)
            assert.equal("EBADMSG", code)
        end
        assert.matches("Cannot serialise", select(2, json.encode(print)))
    end)

    it("names the package that is missing", function()
        local result = helper.script [[
            package.preload["cjson.safe"] = function() error "none" end
            require "quoll"
            print(pcall(require("quoll.http.syntax.json").encode, 1))
        ]]
        assert.matches("needs lua%-cjson %(apt install lua%-cjson%)",
            result.out)
    end)
end)
