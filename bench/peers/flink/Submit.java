import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/**
 * Sends a script of SQL statements to the cluster and waits for its job. The SQL client of the distribution would do the same, but
 * needs a part that the Python package leaves out.
 */
public final class Submit {
    public static void main(String[] arguments) throws Exception {
        Configuration configuration = GlobalConfiguration.loadConfiguration(arguments[0]);
        configuration.setString("execution.target", "remote");
        TableEnvironment environment =
                TableEnvironment.create(EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(configuration).build());
        for (String statement : Files.readString(Path.of(arguments[1])).split(";\\s*\n")) {
            String text = statement.strip();
            if (text.startsWith("set ")) {
                String[] words = text.substring(4).split("=", 2);
                environment.getConfig().set(words[0].strip().replace("'", ""), words[1].strip().replace("'", ""));
            } else if (text.startsWith("insert ")) {
                environment.executeSql(text).await();
            } else if (!text.isEmpty()) {
                environment.executeSql(text);
            }
        }
    }
}
