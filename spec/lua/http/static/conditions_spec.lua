local conditions = require "quoll.http.static.conditions"

describe("quoll.http.static.conditions", function()
    local SAME = "Sun, 06 Nov 1994 08:49:37 GMT"
    local OLDER = "Sun, 06 Nov 1994 08:49:36 GMT"
    local NEWER = "Sun, 06 Nov 1994 08:49:38 GMT"
    local strong = { etag = '"a-b"', modified = SAME, mtime = 784111777.25 }
    local weak = { etag = 'W/"a-b"', modified = SAME, mtime = 784111777.25 }

    local function request(headers)
        return { header = function(_, name)
            return headers[name] and headers[name]:match "^[^\n]*"
        end, header_values = function(_, name)
            local lines = {}
            for line in (headers[name] .. "\n"):gmatch "(.-)\n" do
                lines[#lines + 1] = line
            end
            return lines
        end }
    end

    local function check(headers, file)
        return conditions.check(request(headers), file or strong)
    end

    local function in_range(value, file, now)
        return conditions.in_range(request { ["if-range"] = value },
            file or strong, now or 784111877)
    end

    it("lets a request without conditions pass", function()
        assert.is_true(conditions.any(request {})) -- it has to be looked at
        assert.is_nil(check {})
        assert.is_true(in_range(nil))
    end)

    it("knows If-None-Match", function()
        local function none_match(value, file)
            return check({ ["if-none-match"] = value }, file)
        end
        assert.equal(304, none_match '"a-b"')
        assert.equal(304, none_match 'W/"a-b"')
        assert.equal(304, none_match('"a-b"', weak))
        assert.equal(304, none_match '"x", W/"y,z" ,"a-b"')
        assert.equal(304, none_match " * ")
        assert.equal(304, none_match '"x"\n"y"\n"a-b"')
        assert.is_nil(none_match '"a-c"')
        assert.is_nil(none_match "a-b")
        assert.is_nil(none_match '"x,*"')
        assert.is_nil(none_match "")
    end)

    it("knows If-Modified-Since", function()
        local function modified_since(value)
            return check { ["if-modified-since"] = value }
        end
        assert.equal(304, modified_since(SAME))
        assert.equal(304, modified_since(NEWER))
        assert.equal(304, modified_since "Sunday, 06-Nov-94 08:49:37 GMT")
        assert.is_nil(modified_since(OLDER))
        assert.is_nil(modified_since "yesterday")
    end)

    it("knows If-Match", function()
        assert.is_nil(check { ["if-match"] = '"x", "a-b"' })
        assert.is_nil(check { ["if-match"] = "*" })
        assert.is_nil(check { ["if-match"] = '"x"\n"a-b"' })
        assert.equal(412, check { ["if-match"] = '"x"' })
        assert.equal(412, check { ["if-match"] = 'W/"a-b"' })
        assert.equal(412, check({ ["if-match"] = '"a-b"' }, weak))
    end)

    it("knows If-Unmodified-Since", function()
        assert.is_nil(check { ["if-unmodified-since"] = SAME })
        assert.is_nil(check { ["if-unmodified-since"] = NEWER })
        assert.is_nil(check { ["if-unmodified-since"] = "x" })
        assert.equal(412, check { ["if-unmodified-since"] = OLDER })
    end)

    it("keeps to their precedence", function()
        assert.is_nil(check { ["if-none-match"] = '"x"',
            ["if-modified-since"] = SAME })
        assert.is_nil(check { ["if-match"] = '"a-b"',
            ["if-unmodified-since"] = OLDER })
        assert.equal(304, check { ["if-match"] = '"a-b"',
            ["if-none-match"] = '"a-b"' })
        assert.equal(412, check { ["if-match"] = '"x"',
            ["if-none-match"] = '"a-b"' })
        assert.equal(412, check { ["if-unmodified-since"] = OLDER,
            ["if-modified-since"] = SAME })
    end)

    it("knows If-Range: a strong tag, or the very date", function()
        assert.is_true(in_range '"a-b"')
        assert.is_false(in_range '"a-c"')
        assert.is_false(in_range 'W/"a-b"')
        assert.is_false(in_range('W/"a-b"', weak))
        assert.is_false(in_range('"a-b"', weak))
        assert.is_true(in_range(SAME))
        assert.is_false(in_range(OLDER))
        assert.is_false(in_range(NEWER))
        assert.is_false(in_range(SAME, strong, 784111778))
    end)
end)
