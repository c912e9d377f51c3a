local pattern = require "quoll.http.router.pattern"
local tree = require "quoll.http.router.tree"

local function grown(...)
    local root = tree.new()
    for _, text in ipairs { ... } do
        local verb, path = text:match "^(%S+) (.*)$"
        local kind = path:match "^@" and "mount"
        local segments = pattern.parse((path:gsub("^@", "")), "get")
        tree.leaf(root, segments, kind)[verb] = text
    end
    return root
end

local function find(root, verb, path)
    local values = {}
    local route = tree.find(root, verb, path, values)
    return route, unpack(values)
end

describe("quoll.http.router.tree", function()
    local root = grown("GET /", "GET /a", "GET /a/", "GET /a/b/c",
        "GET /a/:x/d", "POST /a/b", "GET /a/:x", "GET /f/*path",
        "GET /f/:x/y", "* @/m", "GET /m/in", "* @/:t/n")

    it("knows every leaf", function()
        local verbs = {}
        for _, leaf in ipairs(tree.all(root)) do
            for verb, text in pairs(leaf) do
                verbs[#verbs + 1] = text
                assert.equal(verb, text:match "^%S+")
            end
        end
        assert.equal(12, #verbs)
        assert.same({}, tree.all(tree.new()))
    end)

    for path, expected in pairs {
        ["/"] = { "GET /" }, ["/a"] = { "GET /a" }, ["/a/"] = { "GET /a/" },
        ["/a/b/c"] = { "GET /a/b/c" }, ["/a/b/d"] = { "GET /a/:x/d", "b" },
        ["/a/b"] = { "GET /a/:x", "b" }, ["/f/"] = { "GET /f/*path", "" },
        ["/f/x/y/z"] = { "GET /f/*path", "x/y/z" },
        ["/f/q/y"] = { "GET /f/:x/y", "q" }, ["/m"] = { "* @/m" },
        ["/m/"] = { "* @/m" }, ["/m/x/y"] = { "* @/m" },
        ["/m/in"] = { "GET /m/in" }, ["/t/n/x"] = { "* @/:t/n", "t" },
        ["/%61"] = { "GET /a" }, ["/f/%zz"] = { "GET /f/*path", "%zz" },
        ["/a%2Fb"] = {}, ["/f"] = {}, ["//"] = {}, ["/mm"] = {},
        ["/a/b/c/d"] = {}, ["/%zz"] = {},
    } do
        it("finds " .. path, function()
            local got = { find(root, "GET", path) }
            assert.equal(expected[1], got[1])
            for i = 2, #expected do
                assert.equal(expected[i], got[i])
            end
        end)
    end

    it("takes another pattern for another method", function()
        assert.equal("POST /a/b", (find(root, "POST", "/a/b")))
        assert.equal("GET /a/:x", (find(root, "HEAD", "/a/b")))
        assert.is_nil((find(root, "PUT", "/a/b")))
        assert.equal(2, #tree.leaves(root, "/a/b"))
        assert.same({}, tree.leaves(root, "/nowhere"))
    end)

    it("visits each node once", function()
        local deep = {}
        for i = 1, 12 do -- 2^12 ways through text or param
            deep[i] = "GET " .. ("/a"):rep(i - 1) .. "/:p" .. ("/a"):rep(12 - i)
                .. "/end"
        end
        local wide = grown(unpack(deep))
        assert.is_nil((find(wide, "GET", ("/a"):rep(12) .. "/none")))
    end)
end)
