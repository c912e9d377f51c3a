local helper = require "spec.helper"
local suffixes = require "quoll.http.client.jar.suffixes"

local LIST = "\n// a comment\ncom\nco.uk\n*.ck\n!www.ck\n"

describe("quoll.http.client.jar.suffixes", function()
    helper.gates()

    it("follows the list's rules", function()
        for name, expected in pairs { com = true, ["co.uk"] = true,
            ["a.co.uk"] = false, ["a.ck"] = true, ["www.ck"] = false,
            ["b.a.ck"] = false, ["example.com"] = false } do
            assert.equal(expected, suffixes.public(LIST, name), name)
        end
    end)

    it("needs no list for single labels", function()
        assert.is_true(suffixes.public("", "localhost"))
        assert.is_false(suffixes.public("", "a.example"))
    end)

    it("takes names as they are", function()
        assert.is_false(suffixes.public(LIST, "a.comment"))
        assert.is_false(suffixes.public("\na.b\n", "axb.c"))
    end)

    it("reads the system's list, where there is one", function()
        local list = suffixes.list()
        assert.equal(list, suffixes.list())
        assert.is_true(list == "" or suffixes.public(list, "co.uk"))
    end)
end)
