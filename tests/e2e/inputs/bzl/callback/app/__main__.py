import importlib
import importlib.metadata
import importlib.resources


def there(name):
    """Whether a module can be imported."""
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


assert False, "assertions are left out"
data = importlib.resources.files("app")
print({name: there(name) for name in ("six", "app.secret", "app.tests", "wave")})
print(sorted(path.name for path in data.iterdir() if path.name.startswith("data")), there.__doc__)
print(sorted(importlib.metadata.packages_distributions()))
