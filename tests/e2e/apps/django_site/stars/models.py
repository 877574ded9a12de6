from django.db import models


class Constellation(models.Model):
    name = models.CharField(max_length=40, unique=True)

    def __str__(self):
        return self.name


class Star(models.Model):
    constellation = models.ForeignKey(Constellation, on_delete=models.CASCADE, related_name="stars")
    name = models.CharField(max_length=40)
    magnitude = models.DecimalField(max_digits=4, decimal_places=2)
    seen = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["magnitude"]

    def __str__(self):
        return self.name
